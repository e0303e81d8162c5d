// The forms are frozen (test/fixtures/masks.tsv): a database that was masked yesterday and one that is masked by the next release
// have the same value for the same person. key: BLAKE2b-128 of "prodsync/1/" strategy "/" domain, keyed with the 32 bytes of the
// masking key; hash: SipHash-2-4 with 128 bits of output of the value. A SipHash is a keyed pseudorandom function: without the key
// nothing can be guessed by trying a dictionary (E6), and it is fast enough not to be seen beside the COPY.
#include "masks.hpp"

#include <sodium.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>

#include "mask_tables.hpp"

namespace core {

ValueKind kind_of_type(const std::string &base)
{
	const auto is = [&](std::initializer_list<const char *> names) {
		return std::any_of(names.begin(), names.end(), [&](const char *name) { return base == name; });
	};
	if (is({"text", "character varying", "varchar", "character", "bpchar", "name", "citext"}) || base.ends_with(".citext")) return ValueKind::text;
	if (is({"smallint", "integer", "bigint"})) return ValueKind::integer;
	if (is({"numeric", "real", "double precision"})) return ValueKind::numeric;
	if (is({"date"})) return ValueKind::date;
	if (base.starts_with("timestamp") && !base.ends_with("]")) return ValueKind::timestamp;
	if (is({"uuid"})) return ValueKind::uuid;
	if (is({"inet", "cidr"})) return ValueKind::network;
	if (is({"macaddr", "macaddr8"})) return ValueKind::mac;
	if (is({"json", "jsonb"})) return ValueKind::json_document;
	if (is({"boolean"})) return ValueKind::boolean;
	if (is({"bytea"})) return ValueKind::bytes;
	return ValueKind::other;
}

std::optional<std::string> element_of_array(const std::string &base)
{
	return base.ends_with("[]") ? std::optional(base.substr(0, base.size() - 2)) : std::nullopt;
}

bool is_hstore(const std::string &base) { return base == "hstore" || base.ends_with(".hstore"); }

bool has_parts(const std::string &base) { return base == "json" || base == "jsonb" || is_hstore(base); }

const std::vector<Strategy> &strategies()
{
	static const std::vector<Strategy> table = [] {
		std::vector<Strategy> all;
		for (auto *group : {email_strategies, phone_strategies, basic_strategies, person_strategies, place_strategies,
		         digit_strategies, network_strategies, date_strategies, number_strategies, shape_strategies, text_strategies,
		         fixed_strategies, password_strategies, confiture_strategies})
			for (Strategy &one : group()) all.push_back(std::move(one));
		return all;
	}();
	return table;
}

const Strategy *find_strategy(std::string_view name)
{
	for (const Strategy &strategy : strategies())
		if (name == strategy.name) return &strategy;
	return nullptr;
}

std::vector<std::string> strategy_names()
{
	std::vector<std::string> names;
	for (const Strategy &strategy : strategies()) names.emplace_back(strategy.name);
	names.emplace_back("none");
	return names;
}

std::vector<std::string> strategy_options(const Strategy &strategy)
{
	std::vector<std::string> names;
	if (strategy.keyed) names.emplace_back("domain");
	for (const MaskOption &option : strategy.options) names.emplace_back(option.name);
	return names;
}

bool takes(const Strategy &strategy, ValueKind kind)
{
	return std::find(strategy.takes.begin(), strategy.takes.end(), kind) != strategy.takes.end();
}

double collision_odds(const Strategy &strategy, const MaskRule &rule, double rows)
{
	const Distinct distinct = strategy.distinct(rule);
	switch (distinct.kind) {
	case Distinct::Kind::unknown:
	case Distinct::Kind::always: return 0;
	case Distinct::Kind::by_hash: return std::min(1.0, std::ldexp(rows * rows, -distinct.bits - 1));
	case Distinct::Kind::never: break;
	}
	return 1;
}

MaskHash mask_hash(std::string_view bytes, const MaskSubkey &key)
{
	MaskHash hash{};
	crypto_shorthash_siphashx24(hash.data(), reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size(), key.data());
	return hash;
}

static std::uint64_t word_at(Hash hash, std::size_t from)
{
	std::uint64_t word = 0;
	for (std::size_t i = 8; i-- > 0;) word = word << 8 | hash[from + i];
	return word;
}
std::uint64_t first_word(Hash hash) { return word_at(hash, 0); }
std::uint64_t second_word(Hash hash) { return word_at(hash, 8); }

void append_hex(Hash hash, int characters, std::string &out, bool upper)
{
	constexpr char digits[] = "0123456789abcdef";
	for (int i = 0; i < characters; ++i) {
		const unsigned char byte = hash[static_cast<std::size_t>(i) / 2];
		const char digit = digits[i % 2 ? byte & 15 : byte >> 4];
		out += upper && digit >= 'a' ? static_cast<char>(digit - 'a' + 'A') : digit;
	}
}

bool all_digits(std::string_view text)
{
	return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool all_hex(std::string_view text, bool upper)
{
	return std::all_of(text.begin(), text.end(),
	    [&](char c) { return (c >= '0' && c <= '9') || (upper ? c >= 'A' && c <= 'F' : c >= 'a' && c <= 'f'); });
}

bool needs_key(const MaskRule &rule)
{
	if (!rule.inside.empty()) return std::any_of(rule.inside.begin(), rule.inside.end(), needs_key);
	const Strategy *strategy = find_strategy(rule.strategy);
	return strategy && strategy->keyed;
}

bool recognizable(const MaskRule &rule)
{
	if (!rule.when.empty()) return false;
	if (!rule.inside.empty()) return std::all_of(rule.inside.begin(), rule.inside.end(), recognizable);
	const Strategy *strategy = find_strategy(rule.strategy);
	return !strategy || (strategy->recognizable_with ? strategy->recognizable_with(rule) : strategy->recognizable);
}

bool gives_null(const MaskRule &rule)
{
	const Strategy *strategy = find_strategy(rule.strategy);
	return strategy && strategy->gives_null;
}

std::string masked_base(const MaskRule &rule, const std::string &base)
{
	const Strategy *strategy = find_strategy(rule.strategy);
	const auto element = element_of_array(base);
	return element && strategy && !strategy->gives_null && !strategy->of_the_whole ? *element : base;
}

int mask_width(const MaskRule &rule)
{
	const Strategy *strategy = find_strategy(rule.strategy);
	return strategy ? strategy->width(rule) : as_long_as_the_value;
}

int longest_mask(const MaskRule &rule, const std::string &base)
{
	const Strategy *strategy = find_strategy(rule.strategy);
	if (!strategy || strategy->as_long_too || masked_base(rule, base) != base) return 0;    // an array has any number of elements
	return std::max(0, mask_width(rule));
}

Mask::Mask(const MaskRule &rule, const MaskKey *key, const std::string &base)
{
	if (!rule.inside.empty()) {
		masker_ = parts_masker(rule, key, base);
		return;
	}
	if (const auto element = masked_base(rule, base); element != base) {
		masker_ = array_masker(rule, key, element);
		return;
	}
	const Strategy *strategy = find_strategy(rule.strategy);
	if (!strategy) throw std::logic_error("there is no strategy " + rule.strategy);
	if (strategy->keyed) {
		if (!key) throw std::logic_error("no key for strategy " + rule.strategy);
		keyed_ = true;
		const char *subkey = strategy->subkey_of ? strategy->subkey_of(rule) : strategy->subkey;
		const auto label = std::string("prodsync/1/") + (subkey ? subkey : strategy->name) + "/" + rule.domain;
		crypto_generichash(key_.data(), key_.size(), reinterpret_cast<const unsigned char *>(label.data()), label.size(), key->data(),
		    MaskKey::size);
	}
	gives_null_ = strategy->gives_null;
	masks_empty_ = strategy->masks_empty;
	if (!gives_null_) masker_ = strategy->make(rule, key_);
}

Mask::~Mask() { sodium_memzero(key_.data(), key_.size()); }

std::optional<std::string_view> Mask::operator()(std::string_view value, std::string_view drawn_from)
{
	out_.clear();
	if (value.empty() && !masks_empty_) return out_;
	if (gives_null_) return std::nullopt;
	masker_->write(value, keyed_ ? mask_hash(drawn_from, key_) : MaskHash{}, out_);
	return out_;
}

}  // namespace core
