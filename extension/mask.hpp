#pragma once

namespace prodsync {

// prodsync.key_file; when the library is loaded.
void define_mask_settings();
// Does prodsync.key_file name a file with a key?
bool has_file_key();

// Within its scope prodsync_work.mask_kept() works, under the key of that file; not under one that a session has set. Outside of it the function is an
// error, so that nobody can find a masked value's origin by masking guesses, whose code may run in our statements.
class MaskKeptRows {
	bool before_;

public:
	MaskKeptRows();
	~MaskKeptRows();
	MaskKeptRows(const MaskKeptRows &) = delete;
	MaskKeptRows &operator=(const MaskKeptRows &) = delete;
};

}  // namespace prodsync
