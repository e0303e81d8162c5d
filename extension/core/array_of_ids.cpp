#include "array_of_ids.hpp"

#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

namespace core {

namespace {

[[noreturn]] void malformed() { throw std::runtime_error("the source sent an array in a form that is not understood"); }

std::uint32_t number(std::string_view bytes)
{
	std::uint32_t value = 0;
	for (const unsigned char byte : bytes) value = value << 8 | byte;
	return value;
}

std::string bytes(std::uint32_t value)
{
	std::string out;
	for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
	return out;
}

}  // namespace

ArrayOfIds::ArrayOfIds(std::function<std::optional<std::string_view>(std::string_view)> find, bool binary, bool take_out)
    : find_(std::move(find)), binary_(binary), take_out_(take_out)
{}

std::optional<std::string_view> ArrayOfIds::operator()(std::string_view array)
{
	out_.clear();
	return (binary_ ? binary(array) : text(array)) ? std::optional<std::string_view>(out_) : std::nullopt;
}

// array_send: int32 dimensions, flags (1: has NULLs), element type; int32 length and lower bound of each dimension; then the elements, each
// an int32 length (-1: NULL) and its bytes.
bool ArrayOfIds::binary(std::string_view in)
{
	std::size_t at = 0;
	const auto take = [&](std::size_t n) {
		if (in.size() - at < n) malformed();
		return in.substr(std::exchange(at, at + n), n);
	};
	const auto dimensions = number(take(4));
	take(4);
	const auto type = take(4);
	if (dimensions > 6) malformed();  // MAXDIM
	const auto bounds = take(8 * dimensions);
	const bool take_out = take_out_ && dimensions == 1;
	std::string elements;
	std::uint32_t count = 0;
	bool nulls = false;
	while (at < in.size()) {
		const auto length = number(take(4));
		if (length == 0xffffffff) {
			nulls = true;
			++count;
			elements += bytes(length);
			continue;
		}
		const auto other = find_(take(length));
		if (!other && !take_out_) return false;
		if (!other && take_out) continue;
		++count;
		nulls |= !other;
		elements += bytes(other ? static_cast<std::uint32_t>(other->size()) : 0xffffffff);
		if (other) elements += *other;
	}
	const bool emptied = take_out && count == 0;
	out_ = bytes(emptied ? 0 : dimensions) + bytes(nulls ? 1 : 0);
	out_ += type;
	if (emptied) return true;
	out_ += take_out ? bytes(count) + std::string(bounds.substr(4)) : std::string(bounds);
	out_ += elements;
	return true;
}

// array_out: {1,2,NULL}, {{1,2},{3,4}}, [0:1]={1,2}.
bool ArrayOfIds::text(std::string_view in)
{
	const auto begin = in.find('{');
	if (begin == in.npos || in.back() != '}') malformed();
	const bool bounds = begin > 0, take_out = take_out_ && !bounds && in.find('{', begin + 1) == in.npos;
	out_ = in.substr(0, begin);
	for (std::size_t at = begin; at < in.size();) {
		if (in[at] == '{' || in[at] == '}' || in[at] == ',') {
			out_ += in[at++];
			continue;
		}
		const auto end = in.find_first_of(",}", at);
		if (end == in.npos) malformed();
		const auto element = in.substr(at, end - at);
		at = end;
		if (element == "NULL") {
			out_ += element;
			continue;
		}
		if (element.find_first_of("{\"\\") != element.npos) malformed();
		if (const auto other = find_(element)) {
			out_ += *other;
		} else if (!take_out_) {
			return false;
		} else if (!take_out) {
			out_ += "NULL";
		} else if (out_.back() == ',') {
			out_.pop_back();  // with the comma before it
		} else if (in[at] == ',') {
			++at;  // the first: with the one behind it
		}
	}
	return true;
}

}  // namespace core
