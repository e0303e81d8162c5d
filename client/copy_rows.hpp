// Rows of a COPY that are looked at, not copied on: one after another, as text.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "connection.hpp"

namespace client {

// The fields of a line of COPY's text format; nullopt: NULL. Valid until the next line.
class CopyFields {
	std::vector<std::optional<std::string_view>> fields_;
	std::vector<std::string> buffers_;

public:
	const std::vector<std::optional<std::string_view>> &of(std::string_view line);
};

// `copy`: COPY ... TO STDOUT (FORMAT text). Each line as it comes; nothing but the current one is in memory. Throws the server's Error.
void for_each_line(Connection &connection, const std::string &copy, const std::function<void(std::string_view)> &line);

}  // namespace client
