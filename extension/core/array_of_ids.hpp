// The ids of an array, mapped one by one, in the bytes that COPY has on the wire: arrays of integers or uuids, whose elements the text
// format never quotes.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace core {

class ArrayOfIds {
	std::function<std::optional<std::string_view>(std::string_view)> find_;    // of one element
	bool binary_, take_out_;
	std::string out_;

	bool binary(std::string_view array);
	bool text(std::string_view array);

public:
	// `take_out`: an id that has no counterpart is taken out of the array (in one of several dimensions it becomes NULL).
	ArrayOfIds(std::function<std::optional<std::string_view>(std::string_view)> find, bool binary, bool take_out);
	// Valid until the next call. nullopt: an id has no counterpart. Throws std::runtime_error for bytes that are no such array.
	std::optional<std::string_view> operator()(std::string_view array);
};

}  // namespace core
