// Strategies of masking: what each is called, which options it takes, which types of columns, how wide and how distinct its output is, and
// how it is made. The same objects are linked into the client, which masks rows on their way, and into the library behind
// sync_mask(), so both mask alike. Adding a strategy is one entry in one of the tables (mask_*.cpp) and its lines in the golden file.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "mask_key.hpp"
#include "mask_rule.hpp"

namespace core {

struct Column;

// What the values of a column are. A strategy sees them in their text form, whatever the type.
enum class ValueKind { text, integer, numeric, date, timestamp, uuid, network, mac, json_document, boolean, bytes, other };
ValueKind kind_of_type(const std::string &base);    // base as in Column
// "text[]" -> "text"; nullopt: no array.
std::optional<std::string> element_of_array(const std::string &base);
bool is_hstore(const std::string &base);
// Whether a rule can be about parts of such a value.
bool has_parts(const std::string &base);

using MaskHash = std::array<unsigned char, 16>;
using MaskSubkey = std::array<unsigned char, 16>;    // of a strategy and domain

// How far different values stay different: not at all, as far as so many bits of a hash allow, or always.
struct Distinct {
	enum class Kind { never, by_hash, always, unknown } kind = Kind::never;    // unknown: the indexes tell
	int bits = 0;    // by_hash: of n distinct values two collide with odds of n^2 / 2^(bits + 1)
};

// One column's masking at work. Not for several threads: it may reuse buffers.
class Masker {
public:
	virtual ~Masker() = default;
	// Appends the mask of `value` (UTF-8, never empty) to `out`. `hash` is that of the value under the strategy's subkey, or of
	// the value that the rule takes in its place. Whatever the value looks like, what comes out says nothing of it that the
	// strategy does not promise to keep.
	virtual void write(std::string_view value, const MaskHash &hash, std::string &out) = 0;
};

struct Strategy {
	const char *name;
	const char *gives;                         // for people: user_<16 hex digits>@example.com
	std::vector<ValueKind> takes;              // which columns; of others a rule is refused
	bool keyed;                                // false: the output does not depend on the key
	std::vector<MaskOption> options;           // besides `domain`, which every keyed one takes
	int (*width)(const MaskRule &);            // characters of the longest output, or one of the two constants below
	Distinct (*distinct)(const MaskRule &);
	std::unique_ptr<Masker> (*make)(const MaskRule &, const MaskSubkey &);
	bool (*in_form)(std::string_view value, const MaskRule &);    // whether this can be its output
	// Nothing but its output is likely to have the form: what has it was masked before. Only such rules can mask kept rows, which
	// every refresh meets again.
	bool recognizable;
	const char *subkey =
	    nullptr;  // strategies of one subkey draw alike from a value (a full name is the first and the last); null: its own name
	// Why these options cannot be, alone or together; empty: they can.
	std::string (*refused)(const MaskRule &) = nullptr;
	// Which subkey, where it depends on the options; null: the one above.
	const char *(*subkey_of)(const MaskRule &) = nullptr;
	// NULL for every value but the empty text; then there is nothing to make.
	bool gives_null = false;
	// Why what it gives is no value of the column, behind the strategy's name; empty: it is, as far as can be told.
	std::string (*unfit)(const MaskRule &, const Column &) = nullptr;
	// What somebody who chose these options should know, behind the column's name; empty: nothing.
	std::string (*caution)(const MaskRule &) = nullptr;
	// Whether it is recognizable with these options; null: as said above.
	bool (*recognizable_with)(const MaskRule &) = nullptr;
	// A mask may be wider than `width` says, where what it replaces is: a value of another form than expected becomes a text as long as itself.
	bool as_long_too = false;
	// Made of the value, not drawn from its hash: another column's (`entity`) would change nothing.
	bool of_the_value = false;
	// An array is not masked element by element, but as one value.
	bool of_the_whole = false;
	// The empty string is a value like any other.
	bool masks_empty = false;
	// Its masks have to be those of another tool, however likely it is that two are equal: in a unique index that is a warning.
	bool as_elsewhere = false;
};
constexpr int as_long_as_the_value = 0;        // no longer than what it replaces, neither in characters nor in bytes
constexpr int longer_than_the_value = -1;      // without a limit: for columns that have none

// Every strategy, in the order of the documentation; `none` is not one of them.
const std::vector<Strategy> &strategies();
const Strategy *find_strategy(std::string_view name);    // nullptr: unknown
// Names for messages and nearest(), "none" last.
std::vector<std::string> strategy_names();
// Names of the options a strategy takes.
std::vector<std::string> strategy_options(const Strategy &);
bool takes(const Strategy &, ValueKind);
// The odds that two of `rows` distinct values get the same mask; 1 where the strategy is not for unique columns.
double collision_odds(const Strategy &, const MaskRule &, double rows);
constexpr double accepted_odds = 1e-6;
// The strategy whose values production itself makes: an SQL expression over the row, so that the raw ones do not even leave it.
constexpr const char *by_production = "sql";
// Whether the value, in its text form, may be what the rule gives: of an array or of parts each of them. The empty string stays as it is.
bool is_masked_form(const MaskRule &, const std::string &base, std::string_view value);
// Characters of the longest mask, or as_long_as_the_value: what a column, of an array an element, has to hold besides the values that it holds.
int mask_width(const MaskRule &);
// Characters of the longest value that is masked; 0: that depends on the value.
int longest_mask(const MaskRule &, const std::string &base);
bool needs_key(const MaskRule &);
bool gives_null(const MaskRule &);
// "text" of "text[]" where the rule is about elements; else the type itself.
std::string masked_base(const MaskRule &, const std::string &base);
// Whether what the rule gave is told from raw values: see Strategy.
bool recognizable(const MaskRule &);

// One column's masking. Not for several threads: it reuses its buffer.
class Mask {
	bool keyed_ = false, gives_null_ = false, masks_empty_ = false;
	MaskSubkey key_{};
	std::unique_ptr<Masker> masker_;
	std::string out_;

public:
	// For a column of type `base` (as in Column; an array is masked element by element). `key` may be null for a rule that needs none. Throws
	// std::logic_error for an unknown strategy or a missing key.
	Mask(const MaskRule &rule, const MaskKey *key, const std::string &base = "text");
	~Mask();
	Mask(const Mask &) = delete;
	Mask &operator=(const Mask &) = delete;
	// The mask of a UTF-8 value, valid until the next call; nullopt: NULL. The empty string stays empty, but for Strategy::masks_empty. Throws NoSuchValue (value_text.hpp) for one
	// that has no parts where the rule is about parts.
	std::optional<std::string_view> operator()(std::string_view value) { return (*this)(value, value); }
	// The same, drawn from another value: that of the entity that the row is about.
	std::optional<std::string_view> operator()(std::string_view value, std::string_view drawn_from);
};

}  // namespace core
