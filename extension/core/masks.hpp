// Strategies of masking, all in one table: what each is called, which options it takes, how wide and how distinct its output is, and
// how it is made. The same objects are linked into the client, which masks rows on their way, and into the library behind
// sync_mask(), so both mask alike. Adding a strategy is one entry of the table in masks.cpp and its lines in the golden file.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace core {

// The masking key; wiped when it goes. It is never stored in a database, printed, or part of a plan.
class MaskKey {
public:
	static constexpr std::size_t size = 32;
	explicit MaskKey(const std::array<unsigned char, size> &bytes) : bytes_(bytes) {}
	~MaskKey();
	MaskKey(const MaskKey &) = default;
	MaskKey &operator=(const MaskKey &) = default;
	const unsigned char *data() const { return bytes_.data(); }

	// 64 hex digits, with white space around them as an editor or openssl leaves it. nullopt: not that; `why` says what it is instead.
	static std::optional<MaskKey> parse(std::string_view text, std::string &why);
	static MaskKey random();

private:
	std::array<unsigned char, size> bytes_;
};

// What a rule says of a column. Two columns with equal rules give equal values equal masks.
struct MaskRule {
	std::string strategy;    // empty: no rule; "none": deliberately as it is
	std::string domain;      // separates what would mask alike; empty: the one that all columns share
	int length = 0;          // characters of a hash; 0: the strategy's own
	bool operator==(const MaskRule &) const = default;
	bool masks() const { return !strategy.empty() && strategy != "none"; }
};

using MaskHash = std::array<unsigned char, 16>;

struct Strategy {
	const char *name;
	const char *gives;                    // for people: user_<16 hex digits>@example.com
	bool keyed;                           // false: the output does not depend on value or key
	std::vector<int> lengths;             // what `length` may be, its default first; empty: no such option
	int (*width)(const MaskRule &);       // characters of the longest output
	// How many bits of the hash are in the output: of n distinct values two collide with odds of n^2 / 2^(bits + 1). 0: as good as
	// none, not for unique columns.
	int (*bits)(const MaskRule &);
	void (*write)(const MaskHash &, const MaskRule &, std::string &out);
	bool (*in_form)(std::string_view value, const MaskRule &);    // whether this can be its output
};

// Every strategy, in the order of the documentation; `none` is not one of them.
const std::vector<Strategy> &strategies();
const Strategy *find_strategy(std::string_view name);    // nullptr: unknown
// Names for messages and nearest(), "none" last.
std::vector<std::string> strategy_names();
// Names of the options a strategy takes.
std::vector<std::string> strategy_options(const Strategy &);
// The odds that two of `rows` distinct values get the same mask; 1 where the strategy is not for unique columns.
double collision_odds(const Strategy &, const MaskRule &, double rows);
constexpr double accepted_odds = 1e-6;
// What any masked value may be besides its strategy's form: the empty string, which stays as it is.
bool is_masked_form(const Strategy &, const MaskRule &, std::string_view value);

// One column's masking. Not for several threads: it reuses its buffer.
class Mask {
	const Strategy &strategy_;
	MaskRule rule_;
	std::array<unsigned char, 16> key_{};    // of the strategy and domain
	std::string out_;

public:
	// `key` may be null for a strategy that is not keyed. Throws std::logic_error for an unknown strategy or a missing key.
	Mask(const MaskRule &rule, const MaskKey *key);
	~Mask();
	Mask(const Mask &) = delete;
	Mask &operator=(const Mask &) = delete;
	// The mask of a UTF-8 value, valid until the next call. The empty string stays empty.
	std::string_view operator()(std::string_view value);
};

}  // namespace core
