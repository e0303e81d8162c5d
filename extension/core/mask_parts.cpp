// Values made of others: arrays, JSON documents, hstore. Each part is masked as a value of its own, so the same e-mail address gives the same mask in
// a column, in an array, and in a document.
#include "json_path.hpp"
#include "mask_elements.hpp"
#include "mask_json.hpp"
#include "mask_tables.hpp"
#include "value_text.hpp"

#include <stdexcept>

namespace core {

namespace {

[[noreturn]] void no_value(const char *what) { throw NoSuchValue(std::string("a value that is no ") + what); }

std::vector<JsonPath> paths_of(const MaskRule &rule)
{
	std::vector<JsonPath> paths;
	for (const MaskRule &part : rule.inside) {
		std::string why;
		auto path = JsonPath::parse(part.path, why);
		if (!path) throw std::logic_error("the path " + part.path + " " + why);
		paths.push_back(std::move(*path));
	}
	return paths;
}

// The rule of a key of an hstore: the first whose path names it.
const MaskRule *rule_of_key(const MaskRule &rule, const std::vector<JsonPath> &paths, std::string_view key, std::size_t &which)
{
	for (which = 0; which < paths.size(); ++which)
		if (paths[which].matched(paths[which].member(paths[which].root(), key))) return &rule.inside[which];
	return nullptr;
}

std::string_view unpadded(std::string_view value) { return value.substr(0, value.find_last_not_of(' ') + 1); }

class ArrayMasker : public Masker {
	Mask element_;
	const bool padded_;    // with blanks that are no part of the value

public:
	ArrayMasker(const MaskRule &rule, const MaskKey *key, const std::string &element) : element_(rule, key, element), padded_(element == "character") {}
	void write(std::string_view value, const MaskHash &, std::string &out) override
	{
		if (!mask_array(value, ',', [&](std::string_view one) { return element_(padded_ ? unpadded(one) : one); }, out)) no_value("array");
	}
};

class PartsMasker : public Masker {
	const MaskRule rule_;
	const bool hstore_;
	const std::vector<JsonPath> paths_;
	std::vector<std::unique_ptr<Mask>> masks_;    // null: `none`

public:
	PartsMasker(const MaskRule &rule, const MaskKey *key, const std::string &base) : rule_(rule), hstore_(is_hstore(base)), paths_(paths_of(rule))
	{
		for (const MaskRule &part : rule.inside) masks_.push_back(part.masks() ? std::make_unique<Mask>(part, key) : nullptr);
	}
	void write(std::string_view value, const MaskHash &, std::string &out) override
	{
		if (hstore_) {
			const bool good = mask_hstore(value, [&](std::string_view key, std::string_view one, std::optional<std::string_view> &masked) {
				std::size_t which = 0;
				if (!rule_of_key(rule_, paths_, key, which) || !masks_[which]) return false;
				masked = (*masks_[which])(one);
				return true;
			}, out);
			if (!good) no_value("hstore");
			return;
		}
		const bool good = mask_json(value, paths_, [&](std::size_t rule, std::string_view leaf) -> std::optional<std::string_view> {
			return masks_[rule] ? (*masks_[rule])(leaf) : leaf;
		}, out);
		if (!good) no_value("JSON document that can be read");
	}
};

bool parts_in_form(const MaskRule &rule, const std::string &base, std::string_view value)
{
	const auto paths = paths_of(rule);
	std::string unused;
	bool others = false;
	const auto look = [&](const MaskRule &part, std::string_view text) {
		others = others || (part.masks() && !is_masked_form(part, "text", text));
	};
	if (is_hstore(base))
		return mask_hstore(value, [&](std::string_view key, std::string_view one, std::optional<std::string_view> &) {
			std::size_t which = 0;
			if (const MaskRule *part = rule_of_key(rule, paths, key, which)) look(*part, one);
			return false;
		}, unused) && !others;
	return mask_json(value, paths, [&](std::size_t which, std::string_view leaf) -> std::optional<std::string_view> {
		look(rule.inside[which], leaf);
		return leaf;
	}, unused) && !others;
}

}  // namespace

std::unique_ptr<Masker> array_masker(const MaskRule &rule, const MaskKey *key, const std::string &element)
{
	return std::make_unique<ArrayMasker>(rule, key, element);
}

std::unique_ptr<Masker> parts_masker(const MaskRule &rule, const MaskKey *key, const std::string &base)
{
	return std::make_unique<PartsMasker>(rule, key, base);
}

bool is_masked_form(const MaskRule &rule, const std::string &base, std::string_view value)
{
	if (value.empty() || !rule.when.empty()) return true;    // which rows a condition left out only production knows
	if (!rule.inside.empty()) return parts_in_form(rule, base, value);
	if (const auto element = masked_base(rule, base); element != base) {
		bool others = false;
		std::string unused;
		return mask_array(value, ',', [&](std::string_view one) {
			others = others || !is_masked_form(rule, element, element == "character" ? unpadded(one) : one);
			return one;
		}, unused) && !others;
	}
	const Strategy *strategy = find_strategy(rule.strategy);
	return !strategy || strategy->in_form(value, rule);
}

}  // namespace core
