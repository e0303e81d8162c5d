// The one statement that reads a database's catalog as a JSON document. The client runs it on the source, sync_catalog()
// on the target; the text is the same for servers 13 to 18, and a role that may only connect can run it.
#pragma once
#include <array>
#include <utility>

namespace core {
// Settings the statement must run under. With another search_path a user's function or operator could be taken for the
// server's, and types, predicates and bounds would be spelled differently on the two sides; so would bounds with the next ones.
extern const std::array<std::pair<const char *, const char *>, 7> catalog_settings;  // {name, value}
extern const char *const catalog_query;                                              // one row, one column of type jsonb
}  // namespace core
