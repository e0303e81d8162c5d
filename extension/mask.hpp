#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace core { struct MaskRule; struct Name; }

namespace prodsync {

struct Refresh;

// anonymize.kept_rows: mask. The rule that masks the column in kept rows, or nullptr.
const core::MaskRule *mask_of_kept(const Refresh &, const core::Name &table, const std::string &column);

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

// Within its scope prodsync_work.mask_in_place() masks by these rules, each for a column of this type, under the key that sync_mask() uses. An error where
// one of them needs a key and there is none. Outside of it that function is an error.
class MaskInPlace {
public:
	explicit MaskInPlace(const std::vector<std::pair<core::MaskRule, std::string>> &rules);
	~MaskInPlace();
	MaskInPlace(const MaskInPlace &) = delete;
	MaskInPlace &operator=(const MaskInPlace &) = delete;
	std::int64_t masked(std::size_t rule) const;    // values so far
};

}  // namespace prodsync
