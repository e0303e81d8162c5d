#include "leaves.hpp"
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include "../extension/core/detect_content.hpp"
#include "../extension/core/mask_elements.hpp"
#include "../extension/core/masks.hpp"

namespace client {
namespace {

// As mask_json() reads it: numbers that no double holds are numbers all the same.
using json = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t, std::uint64_t, long double>;

// Documents have the same few names again and again.
bool is_data(const std::string &key)
{
	static thread_local std::unordered_map<std::string, bool> known;
	if (const auto at = known.find(key); at != known.end()) return at->second;
	if (known.size() >= 4096) known.clear();
	return known.emplace(key, !core::can_be_name(key)).first->second;
}

class Collector : public nlohmann::json_sax<json> {
	std::vector<Leaf> &out_;
	struct Level {
		bool array;
		std::string key;
	};
	std::vector<Level> levels_;

	bool add(Leaf::Kind kind, std::string text = {})
	{
		out_.push_back({kind, {}, std::move(text)});
		return true;
	}
	// Of the object that is being read.
	std::string names_of_members() const
	{
		std::string place = "$";
		for (std::size_t i = 0; i + 1 < levels_.size(); ++i)
			if (levels_[i].array) place += "[*]";
			else if (is_data(levels_[i].key)) place += ".*";
			else place += "['" + levels_[i].key + "']";
		return place + " (keys)";
	}
	bool enter(bool array)
	{
		levels_.push_back({array, {}});
		return true;
	}
	bool leave()
	{
		levels_.pop_back();
		return true;
	}

public:
	explicit Collector(std::vector<Leaf> &out) : out_(out) {}
	bool null() override { return add(Leaf::Kind::none); }
	bool boolean(bool) override { return add(Leaf::Kind::none); }
	bool number_integer(number_integer_t value) override { return add(Leaf::Kind::number, std::to_string(value)); }
	bool number_unsigned(number_unsigned_t value) override { return add(Leaf::Kind::number, std::to_string(value)); }
	bool number_float(number_float_t, const string_t &text) override { return add(Leaf::Kind::number, text); }
	bool string(string_t &text) override { return add(Leaf::Kind::text, std::move(text)); }
	bool binary(binary_t &) override { return add(Leaf::Kind::none); }
	bool start_object(std::size_t) override { return enter(false); }
	bool key(string_t &name) override
	{
		levels_.back().key = name;
		if (is_data(name)) out_.push_back({Leaf::Kind::name, names_of_members(), std::move(name)});
		return true;
	}
	bool end_object() override { return leave(); }
	bool start_array(std::size_t) override { return enter(true); }
	bool end_array() override { return leave(); }
	bool parse_error(std::size_t, const std::string &, const json::exception &) override { return false; }
};

bool read(const std::string &base, std::string_view value, std::vector<Leaf> &out)
{
	std::string unused;
	if (const auto element = core::element_of_array(base))
		return core::mask_array(value, ',', [&](std::string_view one) -> std::optional<std::string_view> {
			for (auto &leaf : leaves(*element, one)) out.push_back(std::move(leaf));
			return one;
		}, unused);
	if (core::is_hstore(base))
		return core::read_hstore(value, [&](std::string_view key, std::optional<std::string_view> one) {
			std::string name(key);
			if (is_data(name)) out.push_back({Leaf::Kind::name, "$ (keys)", name});
			if (one) out.push_back({Leaf::Kind::text, std::move(name), std::string(*one)});
		});
	if (core::kind_of_type(base) == core::ValueKind::json_document) {
		Collector collector(out);
		return json::sax_parse(value, &collector);
	}
	if (base == "character" || base == "bpchar") value = value.substr(0, value.find_last_not_of(' ') + 1);    // what it is padded with
	out.push_back({Leaf::Kind::text, {}, std::string(value)});
	return true;
}

}  // namespace

std::vector<Leaf> leaves(const std::string &base, std::string_view value)
{
	std::vector<Leaf> out;
	if (!read(base, value, out)) out = {{Leaf::Kind::text, {}, std::string(value)}};
	return out;
}

bool telling(std::string_view text)
{
	std::size_t characters = 0, digits = 0;
	bool letters = false;
	for (const char c : text) {
		const auto byte = static_cast<unsigned char>(c);
		characters += (byte & 0xC0) != 0x80;
		digits += c >= '0' && c <= '9';
		letters = letters || byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	}
	return characters >= 4 && (letters || digits >= 8);
}

Changed changed(std::vector<Leaf> before, const std::vector<Leaf> &after)
{
	Changed out;
	const bool alike = before.size() == after.size();
	for (std::size_t i = 0; i < before.size(); ++i) {
		auto same = alike ? after.begin() + static_cast<std::ptrdiff_t>(i) : after.end();
		if (!alike && !before[i].key.empty())
			same = std::find_if(after.begin(), after.end(), [&](const Leaf &leaf) {
				return leaf.key == before[i].key && (leaf.kind != Leaf::Kind::name || leaf.text == before[i].text);
			});
		if (same != after.end() && *same == before[i]) continue;
		if (same != after.end()) out.to.push_back(*same);
		out.from.push_back(std::move(before[i]));
	}
	if (!alike) out.to = after;
	return out;
}

}  // namespace client
