#include "copy_rows.hpp"
#include <memory>
#include "core/copy_text.hpp"

namespace client {

const std::vector<std::optional<std::string_view>> &CopyFields::of(std::string_view line)
{
	if (line.ends_with('\n')) line.remove_suffix(1);
	fields_.clear();
	for (bool more = true; more;) {
		const auto tab = line.find('\t');
		const auto field = line.substr(0, tab);
		more = tab != line.npos;
		if (more) line.remove_prefix(tab + 1);
		fields_.push_back(field == "\\N" ? std::nullopt : std::optional(field));
	}
	if (buffers_.size() < fields_.size()) buffers_.resize(fields_.size());
	for (std::size_t i = 0; i < fields_.size(); ++i)
		if (fields_[i]) fields_[i] = core::copy_unescaped(*fields_[i], buffers_[i]);
	return fields_;
}

void for_each_line(Connection &connection, const std::string &copy, const std::function<void(std::string_view)> &line)
{
	struct Free { void operator()(char *p) const { PQfreemem(p); } };
	connection.start_copy(copy, PGRES_COPY_OUT);
	for (char *raw = nullptr;; raw = nullptr) {
		const int length = PQgetCopyData(connection.get(), &raw, 0);
		if (length < 0) break;
		const std::unique_ptr<char, Free> held(raw);
		line(std::string_view(raw, static_cast<std::size_t>(length)));
	}
	const Result result = connection.end_copy();
	if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) throw connection.error(result.get());
}

}  // namespace client
