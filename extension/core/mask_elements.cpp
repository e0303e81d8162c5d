// The forms that array_out, hstore_out and record_out print: what is quoted has \ before " and \, in a record doubled instead; record_in reads both.
#include "mask_elements.hpp"

namespace core {

namespace {

void append_quoted(std::string_view text, std::string &out)
{
	out += '"';
	for (const char c : text) {
		if (c == '"' || c == '\\') out += '\\';
		out += c;
	}
	out += '"';
}

// Behind the opening quote: the text until the closing one, which is taken too.
bool take_quoted(std::string_view &in, std::string &text)
{
	text.clear();
	for (std::size_t at = 0; at < in.size(); ++at) {
		if (in[at] == '"') {
			in.remove_prefix(at + 1);
			return true;
		}
		if (in[at] == '\\' && ++at == in.size()) break;
		text += in[at];
	}
	return false;
}

bool is_null(std::string_view word)
{
	return word.size() == 4 && (word[0] | 32) == 'n' && (word[1] | 32) == 'u' && (word[2] | 32) == 'l' && (word[3] | 32) == 'l';
}

}  // namespace

bool mask_array(std::string_view in, char delimiter, const ElementMask &mask, std::string &out)
{
	if (in.starts_with('[')) {    // [0:1]={...}
		const auto equals = in.find('=');
		if (equals == in.npos || in.substr(0, equals).find_first_not_of("[]:-0123456789") != in.npos) return false;
		out += in.substr(0, equals + 1);
		in.remove_prefix(equals + 1);
	}
	std::string element;
	int depth = 0;
	const auto put = [&](std::string_view value) {
		if (const auto masked = mask(value)) append_quoted(*masked, out);
		else out += "NULL";
	};
	while (!in.empty()) {
		const char c = in.front();
		if (c == '{' || c == '}' || c == delimiter) {
			depth += c == '{' ? 1 : c == '}' ? -1 : 0;
			if (depth < 0 || (depth == 0 && c == delimiter)) return false;
			out += c;
			in.remove_prefix(1);
			if (depth == 0) return in.empty();
		} else if (depth == 0) {
			return false;
		} else if (c == '"') {
			in.remove_prefix(1);
			if (!take_quoted(in, element)) return false;
			put(element);
		} else {
			std::size_t size = 0;
			element.clear();
			bool escaped = false;
			while (size < in.size() && in[size] != delimiter && in[size] != '}' && in[size] != '{') {
				if (in[size] == '\\' && size + 1 < in.size()) ++size, escaped = true;
				element += in[size++];
			}
			in.remove_prefix(size);
			if (!escaped && is_null(element)) out += element;
			else put(element);
		}
	}
	return false;
}

bool mask_hstore(std::string_view in, const HstoreMask &mask, std::string &out)
{
	std::string key, value;
	for (bool first = true; !in.empty(); first = false) {
		if (!first) {
			if (!in.starts_with(", ")) return false;
			in.remove_prefix(2);
			out += ", ";
		}
		if (!in.starts_with('"')) return false;
		in.remove_prefix(1);
		if (!take_quoted(in, key) || !in.starts_with("=>")) return false;
		in.remove_prefix(2);
		append_quoted(key, out);
		out += "=>";
		if (in.starts_with("NULL")) {
			in.remove_prefix(4);
			out += "NULL";
			continue;
		}
		if (!in.starts_with('"')) return false;
		in.remove_prefix(1);
		if (!take_quoted(in, value)) return false;
		std::optional<std::string_view> masked;
		if (!mask(key, value, masked)) append_quoted(value, out);
		else if (masked) append_quoted(*masked, out);
		else out += "NULL";
	}
	return true;
}

bool read_hstore(std::string_view in, const std::function<void(std::string_view key, std::optional<std::string_view> value)> &member)
{
	std::string key, value;
	for (bool first = true; !in.empty(); first = false) {
		if (!first) {
			if (!in.starts_with(", ")) return false;
			in.remove_prefix(2);
		}
		if (!in.starts_with('"')) return false;
		in.remove_prefix(1);
		if (!take_quoted(in, key) || !in.starts_with("=>")) return false;
		in.remove_prefix(2);
		if (in.starts_with("NULL")) {
			in.remove_prefix(4);
			member(key, std::nullopt);
			continue;
		}
		if (!in.starts_with('"')) return false;
		in.remove_prefix(1);
		if (!take_quoted(in, value)) return false;
		member(key, value);
	}
	return true;
}

bool mask_record(std::string_view in, std::size_t fields, const FieldMask &mask, std::string &out)
{
	if (!in.starts_with('(') || !in.ends_with(')') || in.size() < 2) return false;
	in = in.substr(1, in.size() - 2);
	out += '(';
	std::string value;
	for (std::size_t field = 0; field < fields; ++field) {
		if (field) {
			if (!in.starts_with(',')) return false;
			in.remove_prefix(1);
			out += ',';
		}
		value.clear();
		bool quoted = false;
		std::size_t at = 0;
		for (; at < in.size() && (quoted || in[at] != ','); ++at) {
			if (in[at] == '"') {
				if (quoted && at + 1 < in.size() && in[at + 1] == '"') value += in[++at];
				else quoted = !quoted;
			} else {
				if (in[at] == '\\' && ++at == in.size()) return false;
				value += in[at];
			}
		}
		if (quoted) return false;
		const std::string_view written = in.substr(0, at);
		in.remove_prefix(at);
		std::optional<std::string_view> masked;
		if (written.empty() || !mask(field, value, masked)) out += written;
		else if (masked) append_quoted(*masked, out);
	}
	out += ')';
	return in.empty();
}

}  // namespace core
