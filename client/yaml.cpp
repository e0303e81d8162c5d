// YAML 1.2, chapter 10.3 (core schema): what a plain scalar means is decided by these few patterns and by nothing else; a
// quoted one is always text.
#include "yaml.hpp"
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <vector>

namespace client {
namespace {

// Where a text is no UTF-8. yaml-cpp takes any bytes; what comes behind it, JSON and the server, does not.
std::optional<Position> not_utf8(std::string_view text)
{
	Position here{1, 1};
	for (std::size_t i = 0; i < text.size(); ++here.column) {
		const auto byte = [&](std::size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u; };
		// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF
		const unsigned first = byte(0), second = byte(1);
		const unsigned least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80, most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
		std::size_t bytes = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
		if (bytes > 1 && (second < least || second > most)) bytes = 0;
		for (std::size_t k = 2; k < bytes; ++k)
			if ((byte(k) & 0xC0) != 0x80) bytes = 0;
		if (!bytes) return here;
		if (first == '\n') here = {here.line + 1, 0};
		i += bytes;
	}
	return std::nullopt;
}

using nlohmann::json;

constexpr std::size_t most_nodes = 200'000;  // aliases of aliases grow without bound: nobody writes that many by hand
const std::string core_tag = "tag:yaml.org,2002:";

bool digits(std::string_view s) { return !s.empty() && s.find_first_not_of("0123456789") == std::string_view::npos; }

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool looks_like_float(std::string_view s)
{
	if (!s.empty() && (s[0] == '-' || s[0] == '+')) s.remove_prefix(1);
	if (auto e = s.find_first_of("eE"); e != std::string_view::npos) {
		auto exponent = s.substr(e + 1);
		if (!exponent.empty() && (exponent[0] == '-' || exponent[0] == '+')) exponent.remove_prefix(1);
		if (!digits(exponent)) return false;
		s = s.substr(0, e);
	}
	auto point = s.find('.');
	if (point == std::string_view::npos) return digits(s);
	auto before = s.substr(0, point), after = s.substr(point + 1);
	if (before.empty()) return digits(after);
	return digits(before) && (after.empty() || digits(after));
}

json number_of(std::string_view digits_text, int base, bool negative)
{
	std::uint64_t value = 0;
	auto [end, bad] = std::from_chars(digits_text.data(), digits_text.data() + digits_text.size(), value, base);
	constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
	if (bad != std::errc{} || end != digits_text.data() + digits_text.size() || value > most) return nullptr;
	return negative ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
}

// null, true, 12, 1.5, or the text itself. An integer that no bigint holds is text: whoever reads it says what is wrong.
json plain(const std::string &s)
{
	if (s.empty() || s == "~" || s == "null" || s == "Null" || s == "NULL") return nullptr;
	if (s == "true" || s == "True" || s == "TRUE") return true;
	if (s == "false" || s == "False" || s == "FALSE") return false;
	std::string_view body = s;
	bool negative = body[0] == '-';
	json number;
	if (body.starts_with("0x")) {
		number = number_of(body.substr(2), 16, false);
	} else if (body.starts_with("0o")) {
		number = number_of(body.substr(2), 8, false);
	} else {
		if (body[0] == '-' || body[0] == '+') body.remove_prefix(1);
		if (digits(body))
			number = number_of(body, 10, negative);
		else if (body == ".inf" || body == ".Inf" || body == ".INF" || s == ".nan" || s == ".NaN" || s == ".NAN")
			return s;  // JSON has no such numbers and no setting of ours takes them
		else if (looks_like_float(s)) {
			double value = 0;
			auto from = s.data() + (s[0] == '+' ? 1 : 0);
			auto [end, bad] = std::from_chars(from, s.data() + s.size(), value);
			if (bad == std::errc{}) number = value;
		}
	}
	return number.is_null() ? json(s) : number;
}

class Builder : public YAML::EventHandler {
	struct Open {
		json value;
		std::string path;
		std::optional<std::string> key;  // of a map: read, its value not yet
		YAML::anchor_t anchor = 0;
	};
	struct Kept {  // what an anchor names
		json value;
		std::string path;
	};
	std::vector<Open> open_;
	std::map<YAML::anchor_t, std::optional<Kept>> anchors_;  // nullopt: still being read, an alias to it has no end
	std::size_t nodes_ = 0;

	static Position at(const YAML::Mark &mark) { return mark.is_null() ? Position{} : Position{mark.line + 1, mark.column + 1}; }

	static std::string joined(const std::string &path, const std::string &key) { return path.empty() ? key : path + "." + key; }

	bool key_expected() const { return !open_.empty() && open_.back().value.is_object() && !open_.back().key; }

	// Where the node that begins now belongs; notes its place.
	std::string begin(const YAML::Mark &mark)
	{
		if (++nodes_ > most_nodes) throw YamlError(at(mark), "too many values (aliases of aliases?)");
		if (open_.empty()) return "";
		auto &in = open_.back();
		std::string path = joined(in.path, in.value.is_array() ? std::to_string(in.value.size()) : *in.key);
		if (in.value.is_array()) document.keys[path] = at(mark);
		document.values[path] = at(mark);
		return path;
	}

	void put(json value)
	{
		if (open_.empty()) {
			document.value = std::move(value);
			return;
		}
		auto &in = open_.back();
		if (in.value.is_array())
			in.value.push_back(std::move(value));
		else
			in.value[*std::exchange(in.key, std::nullopt)] = std::move(value);
	}

	void key(const YAML::Mark &mark, const std::string &text)
	{
		auto &in = open_.back();
		auto path = joined(in.path, text);
		if (in.value.contains(text)) {
			auto first = document.keys[path];
			throw YamlError(at(mark), "\"" + text + "\" stands twice; the first is in line " + std::to_string(first.line));
		}
		document.keys[path] = at(mark);
		in.key = text;
	}

	void scalar(const YAML::Mark &mark, YAML::anchor_t anchor, json value)
	{
		auto path = begin(mark);
		if (anchor) anchors_[anchor] = Kept{value, path};
		put(std::move(value));
	}

	void start(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor, json empty)
	{
		if (key_expected()) throw YamlError(at(mark), "a key must be text, not a list or a mapping");
		if (!tag.empty() && tag != "?" && tag != "!" && tag != core_tag + (empty.is_array() ? "seq" : "map"))
			throw YamlError(at(mark), "unknown tag " + tag);
		auto path = begin(mark);
		if (anchor) anchors_[anchor] = std::nullopt;
		open_.push_back({std::move(empty), path, std::nullopt, anchor});
	}

	void end()
	{
		auto done = std::move(open_.back());
		open_.pop_back();
		if (done.anchor) anchors_[done.anchor] = Kept{done.value, done.path};
		put(std::move(done.value));
	}

	static std::size_t count(const json &value)
	{
		std::size_t n = 1;
		if (value.is_structured())
			for (const auto &item : value) n += count(item);
		return n;
	}

public:
	YamlDocument document;

	void OnDocumentStart(const YAML::Mark &) override {}
	void OnDocumentEnd() override {}
	void OnMapEnd() override { end(); }
	void OnSequenceEnd() override { end(); }

	void OnNull(const YAML::Mark &mark, YAML::anchor_t anchor) override
	{
		if (key_expected()) throw YamlError(at(mark), "a key must be text, not null");
		scalar(mark, anchor, nullptr);
	}

	void OnScalar(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor, const std::string &value) override
	{
		if (value.find('\0') != value.npos) throw YamlError(at(mark), "a text with the character 0 in it, which no text of PostgreSQL has");
		// yaml-cpp makes single bytes of them.
		if (not_utf8(value)) throw YamlError(at(mark), "\\_ and \\N are special in double quotes; write \\\\ for a backslash, or take single quotes");
		if (key_expected()) return key(mark, value);
		if (tag == "?" || tag.empty()) return scalar(mark, anchor, plain(value));
		if (tag == "!" || tag == core_tag + "str") return scalar(mark, anchor, value);
		auto typed = plain(value);
		if ((tag == core_tag + "bool" && typed.is_boolean()) || (tag == core_tag + "int" && typed.is_number_integer()) ||
		    (tag == core_tag + "float" && typed.is_number()) || (tag == core_tag + "null" && typed.is_null()))
			return scalar(mark, anchor, typed);
		throw YamlError(at(mark), "unknown tag " + tag);
	}

	void OnAlias(const YAML::Mark &mark, YAML::anchor_t anchor) override
	{
		if (key_expected()) throw YamlError(at(mark), "a key must be text, not an alias");
		auto &named = anchors_[anchor];
		if (!named) throw YamlError(at(mark), "this alias stands inside of what it names");
		auto path = begin(mark);
		nodes_ += count(named->value);
		if (nodes_ > most_nodes) throw YamlError(at(mark), "too many values (aliases of aliases?)");
		std::map<std::string, Position> inner;
		const auto prefix = named->path + ".";
		for (auto *places : {&document.keys, &document.values}) {
			inner.clear();
			for (auto p = places->lower_bound(prefix); p != places->end() && p->first.starts_with(prefix); ++p)
				inner[path + "." + p->first.substr(prefix.size())] = p->second;
			places->insert(inner.begin(), inner.end());
		}
		put(named->value);
	}

	void OnSequenceStart(
	    const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override
	{
		start(mark, tag, anchor, json::array());
	}

	void OnMapStart(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override
	{
		start(mark, tag, anchor, json::object());
	}
};

}  // namespace

Position YamlDocument::find(std::string_view object, bool at_value) const
{
	auto stands = [&](const std::string &path) -> Position {
		auto key = keys.find(path), begins = values.find(path);
		if (at_value && begins != values.end() && begins->second.line) return begins->second;
		return key == keys.end() ? Position{} : key->second;
	};
	for (const std::string &path : {std::string(object), "tables." + std::string(object)})
		if (auto found = stands(path); found.line) return found;
	if (const auto dot = object.find('.');
	    dot != object.npos && value.is_object() && value.contains(std::string(object.substr(0, dot))))
		return find(object.substr(0, object.rfind('.')));
	std::string unique;
	const std::string tail = "." + std::string(object);
	for (const auto &[path, position] : keys) {
		if (!path.ends_with(tail)) continue;
		if (!unique.empty()) return {};
		unique = path;
	}
	return unique.empty() ? Position{} : stands(unique);
}

YamlDocument parse_yaml(std::string_view text)
{
	if (const auto bad = not_utf8(text)) throw YamlError(*bad, "the file is not UTF-8");
	std::istringstream in{std::string(text)};
	Builder builder;
	try {
		YAML::Parser parser(in);
		if (parser.HandleNextDocument(builder)) {
			Builder second;
			if (parser.HandleNextDocument(second) && !second.document.value.is_null())
				throw YamlError({}, "a second document (after ---): one is read");
		}
	} catch (const YAML::Exception &e) {
		throw YamlError(e.mark.is_null() ? Position{} : Position{e.mark.line + 1, e.mark.column + 1}, e.msg);
	}
	return std::move(builder.document);
}

std::string place(std::string_view file, Position at)
{
	std::string text(file);
	if (at.line) text += ":" + std::to_string(at.line);
	if (at.line && at.column) text += ":" + std::to_string(at.column);
	return text;
}

}  // namespace client
