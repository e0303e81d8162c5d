#pragma once

namespace prodsync {

// prodsync.key_file; when the library is loaded.
void define_mask_settings();

}  // namespace prodsync
