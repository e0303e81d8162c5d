#include "copy_text.hpp"

namespace core {

void append_copy_escaped(std::string &out, std::string_view value)
{
	for (const char c : value) {
		switch (c) {
		case '\b': out += "\\b"; break;
		case '\f': out += "\\f"; break;
		case '\n': out += "\\n"; break;
		case '\r': out += "\\r"; break;
		case '\t': out += "\\t"; break;
		case '\v': out += "\\v"; break;
		case '\\': out += "\\\\"; break;
		default: out += c;
		}
	}
}

std::string_view copy_unescaped(std::string_view field, std::string &buffer)
{
	if (field.find('\\') == field.npos) return field;
	buffer.clear();
	for (std::size_t i = 0; i < field.size(); ++i) {
		if (field[i] != '\\' || i + 1 == field.size()) {
			buffer += field[i];
			continue;
		}
		switch (const char c = field[++i]) {
		case 'b': buffer += '\b'; break;
		case 'f': buffer += '\f'; break;
		case 'n': buffer += '\n'; break;
		case 'r': buffer += '\r'; break;
		case 't': buffer += '\t'; break;
		case 'v': buffer += '\v'; break;
		default: buffer += c;    // COPY TO writes no octal or hexadecimal ones
		}
	}
	return buffer;
}

}  // namespace core
