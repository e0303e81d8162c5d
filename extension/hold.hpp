// Masking in place: writers are held from before the rows are read to the switch.
#pragma once
#include "content.hpp"

namespace prodsync {

// PS_REFUSED unless this transaction holds whoever writes to what is rewritten, since before the first row was loaded: what was written in between would be
// lost.
void require_writers_held(const Refresh &);

}  // namespace prodsync
