// Values made of others: arrays, JSON documents, hstore, composite values. Each part is masked as a value of its own, so the same e-mail address gives the same mask in
// a column, in an array, and in a document.
#include "composite.hpp"
#include "json_path.hpp"
#include "mask_elements.hpp"
#include "mask_json.hpp"
#include "mask_tables.hpp"
#include "value_text.hpp"

#include <algorithm>
#include <stdexcept>

namespace core {

namespace {

[[noreturn]] void no_value(const char *what) { throw NoSuchValue(std::string("a value that is no ") + what); }

std::vector<JsonPath> parsed_paths(const MaskRule &rule)
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

// The form of a value is asked row by row, of some columns in turn: their paths stay parsed.
const std::vector<JsonPath> &known_paths(const MaskRule &rule)
{
	struct Known {
		std::vector<std::string> written;
		std::vector<JsonPath> paths;
	};
	static thread_local std::vector<std::unique_ptr<Known>> known;
	for (const auto &one : known)
		if (std::equal(one->written.begin(), one->written.end(), rule.inside.begin(), rule.inside.end(),
		        [](const std::string &written, const MaskRule &part) { return written == part.path; }))
			return one->paths;
	if (known.size() >= 64) known.clear();
	auto one = std::make_unique<Known>();
	for (const MaskRule &part : rule.inside) one->written.push_back(part.path);
	one->paths = parsed_paths(rule);
	known.push_back(std::move(one));
	return known.back()->paths;
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
	ArrayMasker(const MaskRule &rule, const MaskKey *key, const std::string &element)
	    : element_(rule, key, element), padded_(element == "character")
	{}
	void write(std::string_view value, const MaskHash &, std::string &out) override
	{
		if (!mask_array(value, ',', [&](std::string_view one) { return element_(padded_ ? unpadded(one) : one); }, out)) no_value("array");
	}
};

// A composite value, or an array of them, along its shape (parts_of_type()): which fields stand where, and what is in them.
class Walk {
public:
	// What becomes of a leaf under the rule of that number: nullopt, NULL.
	using Leaf = std::function<std::optional<std::string_view>(std::size_t rule, std::string_view leaf)>;

	Walk(const std::vector<JsonPath> &paths, const Leaf &leaf) : paths_(paths), leaf_(leaf) {}
	bool operator()(const json &shape, std::string_view value, std::string &out)
	{
		States states;
		for (const JsonPath &path : paths_) states.push_back(path.root());
		std::string made;
		out += walk(shape, states, value, made) == Done::as_it_was ? value : made;
		return good_;
	}

private:
	using States = std::vector<JsonPath::State>;
	enum class Done { as_it_was, masked, null };
	const std::vector<JsonPath> &paths_;
	const Leaf &leaf_;
	bool good_ = true;

	Done walk(const json &shape, const States &states, std::string_view value, std::string &out)
	{
		bool changed = false;
		std::string inner;
		const auto below = [&](const json &of, const States &there, std::string_view text, std::optional<std::string_view> &masked) {
			inner.clear();
			const Done done = walk(of, there, text, inner);
			if (done == Done::as_it_was) return false;
			changed = true;
			if (done == Done::masked) masked = inner;
			return true;
		};
		if (const auto fields = shape.find("fields"); fields != shape.end()) {
			good_ = mask_record(value, fields->size(), [&](std::size_t i, std::string_view text, std::optional<std::string_view> &masked) {
				const json &field = (*fields)[i];
				States there;
				for (std::size_t p = 0; p < paths_.size(); ++p)
					there.push_back(paths_[p].member(states[p], field["name"].get_ref<const std::string &>()));
				return below(field, there, text, masked);
			}, out) && good_;
			return changed ? Done::masked : Done::as_it_was;
		}
		if (const auto of = shape.find("of"); of != shape.end()) {
			std::size_t index = 0;
			good_ = mask_array(value, ',', [&](std::string_view text) -> std::optional<std::string_view> {
				States there;
				for (std::size_t p = 0; p < paths_.size(); ++p) there.push_back(paths_[p].element(states[p], index));
				++index;
				std::optional<std::string_view> masked;
				return below(*of, there, text, masked) ? masked : text;
			}, out) && good_;
			return changed ? Done::masked : Done::as_it_was;
		}
		for (std::size_t p = 0; p < paths_.size(); ++p) {
			if (!paths_[p].matched(states[p])) continue;
			const auto masked = leaf_(p, shape.value("base", "") == "character" ? unpadded(value) : value);
			if (masked) out += *masked;
			return masked ? Done::masked : Done::null;
		}
		return Done::as_it_was;
	}
};

class PartsMasker : public Masker {
	const MaskRule rule_;
	const bool hstore_;
	const std::vector<JsonPath> paths_;
	std::vector<std::unique_ptr<Mask>> masks_;    // null: `none`

public:
	PartsMasker(const MaskRule &rule, const MaskKey *key, const std::string &base) : rule_(rule), hstore_(is_hstore(base)), paths_(parsed_paths(rule))
	{
		for (const MaskRule &part : rule.inside) masks_.push_back(part.masks() ? std::make_unique<Mask>(part, key) : nullptr);
	}
	void write(std::string_view value, const MaskHash &, std::string &out) override
	{
		const LeafMask mask = [&](std::size_t rule, std::string_view leaf) -> std::optional<std::string_view> {
			return masks_[rule] ? (*masks_[rule])(leaf) : leaf;
		};
		if (const auto shape = rule_.options.find(shape_option); shape != rule_.options.end()) {
			if (!Walk(paths_, mask)(*shape, value, out)) no_value("composite value of the type that it had when the plan was made");
			return;
		}
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
		if (!mask_json(value, paths_, mask, out)) no_value("JSON document that can be read");
	}
};

bool parts_in_form(const MaskRule &rule, const std::string &base, std::string_view value)
{
	const auto &paths = known_paths(rule);
	std::string unused;
	bool others = false;
	const auto look = [&](const MaskRule &part, std::string_view text) {
		others = others || (part.masks() && !is_masked_form(part, "text", text));
	};
	const LeafMask look_at = [&](std::size_t which, std::string_view leaf) -> std::optional<std::string_view> {
		look(rule.inside[which], leaf);
		return leaf;
	};
	if (const auto shape = rule.options.find(shape_option); shape != rule.options.end())
		return Walk(paths, look_at)(*shape, value, unused) && !others;
	if (is_hstore(base))
		return mask_hstore(value, [&](std::string_view key, std::string_view one, std::optional<std::string_view> &) {
			std::size_t which = 0;
			if (const MaskRule *part = rule_of_key(rule, paths, key, which)) look(*part, one);
			return false;
		}, unused) && !others;
	return mask_json(value, paths, look_at, unused) && !others;
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
