// The places of keys come from the reader (yaml.hpp); where a block ends is told by its indentation. What an edit cannot see (a multi-line text,
// an anchor that is used elsewhere, a merge) shows when the result is read again: only what was there and the rules may be in it.
#include "yaml_edit.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "error.hpp"
#include "yaml.hpp"

namespace client {

namespace {

using nlohmann::json;

// Lines and what ended each: a file of Windows has \r\n, one that several people edit has both.
struct Text {
	std::vector<std::string> lines, ends;

	explicit Text(std::string_view text)
	{
		for (std::size_t at = 0; at < text.size();) {
			const auto feed = text.find('\n', at), next = feed == text.npos ? text.size() : feed + 1;
			auto line = text.substr(at, next - at), end = line.substr(line.size());
			if (feed != text.npos) end = line.substr(line.size() - (line.ends_with("\r\n") ? 2 : 1));
			line.remove_suffix(end.size());
			lines.emplace_back(line);
			ends.emplace_back(end);
			at = next;
		}
	}
	void insert(std::size_t at, const std::vector<std::string> &added)
	{
		const std::string end = ends.empty() || ends.front().empty() ? "\n" : ends.front();
		if (at > 0 && ends[at - 1].empty()) ends[at - 1] = end;    // the last line, which had none
		lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), added.begin(), added.end());
		ends.insert(ends.begin() + static_cast<std::ptrdiff_t>(at), added.size(), end);
	}
	std::string whole() const
	{
		std::string out;
		for (std::size_t i = 0; i < lines.size(); ++i) out += lines[i] + ends[i];
		return out;
	}
};

std::size_t indent_of(const std::string &line) { return std::min(line.find_first_not_of(' '), line.size()); }

bool says_nothing(const std::string &line)
{
	const auto first = line.find_first_not_of(" \t");
	return first == line.npos || line[first] == '#';
}

class Editor {
	Text file;
	const std::vector<std::string> &lines = file.lines;
	YamlDocument document;
	std::string &why;

	// The line of a key, from 0; its column is its indentation.
	std::optional<std::pair<std::size_t, std::size_t>> place_of(const std::string &path) const
	{
		const auto at = document.keys.find(path);
		// an item that is nothing at all stands where the next thing begins, or behind the last line
		if (at == document.keys.end() || at->second.line < 1 || at->second.column < 1 ||
		    static_cast<std::size_t>(at->second.line) > lines.size())
			return std::nullopt;
		return std::pair{static_cast<std::size_t>(at->second.line - 1), static_cast<std::size_t>(at->second.column - 1)};
	}

	// The last line of what stands below a key; comments that are indented deeper than the key belong to it, blank lines at the end do not.
	std::size_t end_of(std::size_t line, std::size_t indent, bool sequence) const
	{
		std::size_t last = line;
		for (std::size_t i = line + 1; i < lines.size(); ++i) {
			if (lines[i].starts_with("---") || lines[i].starts_with("...")) break;
			const std::size_t here = indent_of(lines[i]);
			if (says_nothing(lines[i])) {
				if (here < lines[i].size() && here >= indent + sequence) last = i;
				continue;
			}
			// a list may stand as far left as its key
			if (here < indent || (here == indent && !(sequence && lines[i].compare(here, 1, "-") == 0))) break;
			last = i;
		}
		return last;
	}

	// The key's value begins on a line of its own: not {...}, [...], an alias or a text.
	bool is_block(const std::string &path, std::size_t line) const
	{
		const auto value = document.values.find(path);
		return value != document.values.end() && value->second.line > static_cast<int>(line) + 1;
	}

	bool refuse(const std::string &text)
	{
		why = text;
		return false;
	}

	std::string flow(const std::string &path) const { return path + " is written on one line, or refers to another place of the file"; }

	// A comment of the kind that we write is there already, below the table's key or below that as a comment.
	bool has_comment(const RulesOfTable &rules, const std::string &line) const
	{
		const std::string start = line.substr(0, line.find('}') + 1);
		for (std::size_t i = 0; i < lines.size(); ++i) {
			const std::size_t indent = indent_of(lines[i]);
			std::string_view key = std::string_view(lines[i]).substr(indent);
			if (key.starts_with("# ")) key.remove_prefix(2);
			if (!key.starts_with(rules.table + ":")) continue;
			for (std::size_t k = i + 1;
			     k < lines.size() && (indent_of(lines[k]) > indent || lines[k].compare(indent_of(lines[k]), 2, "- ") == 0); ++k)
				if (lines[k].compare(indent_of(lines[k]), start.size(), start) == 0) return true;
		}
		return false;
	}

	bool add_table(RulesOfTable rules)
	{
		std::erase_if(rules.lines, [&](const auto &line) { return line.starts_with("# ") && has_comment(rules, line); });
		if (rules.lines.empty()) return true;
		const json &root = document.value;
		std::vector<std::string> added;
		std::size_t after = 0;
		const auto items = [&](std::size_t indent) {
			for (const auto &line : rules.lines) added.push_back(std::string(indent, ' ') + line);
		};
		const bool nothing_but_comments =
		    std::none_of(rules.lines.begin(), rules.lines.end(), [](const auto &line) { return line.starts_with("- "); });
		const auto key_line = [&](std::size_t indent, const std::string &key, bool commented = false) {
			added.push_back(std::string(indent, ' ') + (commented ? "# " : "") + key + ":");
		};
		if (!root.is_object() || !root.contains("anonymize")) {
			// at the end of the file
			if (nothing_but_comments) return true;
			after = lines.size();
			while (after > 0 && lines[after - 1].find_first_not_of(" \t") == std::string::npos) --after;
			if (after && (lines[after - 1].starts_with("...") || lines[after - 1].starts_with("---")))
				return refuse("the file ends with a document marker");
			const std::size_t step = indent_step();
			key_line(0, "anonymize"), key_line(step, "tables"), key_line(2 * step, rules.table), items(3 * step);
		} else {
			const auto top = place_of("anonymize");
			if (!top) return refuse("anonymize: comes from another place of the file");
			const json &anonymize = root["anonymize"];
			if (anonymize.is_null() && is_bare(top->first)) {
				if (nothing_but_comments) return true;
				after = top->first + 1;
				const std::size_t step = indent_step();
				key_line(top->second + step, "tables"), key_line(top->second + 2 * step, rules.table), items(top->second + 3 * step);
			} else if (!anonymize.is_object() || !is_block("anonymize", top->first)) return refuse(flow("anonymize"));
			else if (!anonymize.contains("tables")) {
				if (nothing_but_comments) return true;
				const auto indent = indent_of_children("anonymize", anonymize);
				if (!indent) return refuse(flow("anonymize"));
				after = end_of(top->first, top->second + 1, false) + 1;
				const std::size_t step = *indent - top->second;
				key_line(*indent, "tables"), key_line(*indent + step, rules.table), items(*indent + 2 * step);
			} else {
				const auto tables = place_of("anonymize.tables");
				if (!tables) return refuse("anonymize.tables comes from another place of the file");
				const json &list = anonymize["tables"];
				if (list.is_null() && is_bare(tables->first)) {
					if (nothing_but_comments) return true;
					after = tables->first + 1;
					const std::size_t step = indent_step();
					key_line(tables->second + step, rules.table), items(tables->second + 2 * step);
				} else if (!list.is_object() || !is_block("anonymize.tables", tables->first)) return refuse(flow("anonymize.tables"));
				else if (!list.contains(rules.key)) {
					const auto indent = indent_of_children("anonymize.tables", list);
					if (!indent) return refuse(flow("anonymize.tables"));
					after = end_of(tables->first, tables->second + 1, false) + 1;
					key_line(*indent, rules.table, nothing_but_comments), items(*indent + item_offset(list, *indent - tables->second));
				} else {
					const std::string path = "anonymize.tables." + rules.key;
					const auto table = place_of(path);
					if (!table) return refuse(path + " comes from another place of the file");
					const auto first = place_of(path + ".0");
					if (list[rules.key].is_null() && is_bare(table->first)) {    // its rules are comments, or still to come
						if (nothing_but_comments) return true;
						after = table->first + 1;
						items(table->second + item_offset(list, indent_step()));
						file.insert(after, added);
						return true;
					}
					if (!list[rules.key].is_array() || !is_block(path, table->first) || !first) return refuse(flow(path));
					// where the dashes of its items stand
					const std::string &line = lines[first->first];
					const std::size_t indent = indent_of(line);
					if (line.compare(indent, 1, "-") != 0) return refuse(flow(path));
					after = end_of(table->first, table->second, true) + 1;
					items(indent);
				}
			}
		}
		file.insert(after, added);
		return true;
	}

	// Nothing but a comment behind the key's colon.
	bool is_bare(std::size_t line) const
	{
		const auto colon = lines[line].find(':');
		return colon != std::string::npos && says_nothing(lines[line].substr(colon + 1));
	}

	std::optional<std::size_t> indent_of_children(const std::string &path, const json &object) const
	{
		for (const auto &[key, unused] : object.items())
			if (const auto at = place_of(path + "." + key); at && indent_of(lines[at->first]) == at->second) return at->second;
		return std::nullopt;
	}

	// How far the file indents: by the first key of a mapping that stands deeper than its parent.
	std::size_t indent_step() const
	{
		std::size_t least = 0;
		for (const auto &[path, at] : document.keys) {
			const auto line = static_cast<std::size_t>(at.line - 1);
			if (at.line < 1 || line >= lines.size() || lines[line].compare(indent_of(lines[line]), 1, "-") == 0) continue;
			const auto here = indent_of(lines[line]);
			if (here > 0 && here + 1 == static_cast<std::size_t>(at.column) && (!least || here < least)) least = here;
		}
		return least ? least : 2;
	}

	// How far right of a table's key the dashes of its rules stand: as those of the first table that has some.
	std::size_t item_offset(const json &tables, std::size_t otherwise) const
	{
		for (const auto &[key, rules] : tables.items()) {
			const std::string path = "anonymize.tables." + key;
			const auto table = place_of(path), item = place_of(path + ".0");
			if (!table || !item || !is_block(path, table->first)) continue;
			const std::size_t indent = indent_of(lines[item->first]);
			if (indent >= table->second && lines[item->first].compare(indent, 1, "-") == 0) return indent - table->second;
		}
		return otherwise;
	}

public:
	Editor(std::string_view given, std::string &reason) : file(given), why(reason) {}

	std::optional<std::string> run(const std::vector<RulesOfTable> &rules)
	{
		json expected;
		try {
			document = parse_yaml(file.whole());
			expected = document.value;
			for (const RulesOfTable &one : rules) {
				for (const auto &line : one.lines)
					if (line.starts_with("- ")) {
						json *to = &expected;
						for (const std::string &key : {std::string("anonymize"), std::string("tables"), one.key}) {
							if (!to->is_object() && !to->is_null()) {
								why = "what is above the rules is no mapping";
								return std::nullopt;
							}
							to = &(*to)[key];
						}
						if (!to->is_array() && !to->is_null()) {
							why = "the rules of a table are no list";
							return std::nullopt;
						}
						to->push_back(parse_yaml(line).value.at(0));
					}
				if (!add_table(one)) return std::nullopt;
				// the next table's place is told by the file as it is now
				document = parse_yaml(file.whole());
			}
			if (document.value != expected) {
				why = "the rules would not stand where they belong";
				return std::nullopt;
			}
		} catch (const YamlError &) {
			why = "with the rules it could not be read";
			return std::nullopt;
		}
		return file.whole();
	}
};

}  // namespace

std::optional<std::string> with_rules(std::string_view text, const std::vector<RulesOfTable> &rules, std::string &why)
{
	if (text.find('\t') != text.npos && text.find("\n\t") != text.npos) {
		why = "lines are indented by tabs";
		return std::nullopt;
	}
	return Editor(text, why).run(rules);
}

std::string rules_block(const std::vector<RulesOfTable> &rules)
{
	std::string out = "anonymize:\n  tables:\n";
	for (const auto &one : rules) {
		out += "    " + one.table + ":\n";
		for (const auto &line : one.lines) out += "      " + line + "\n";
	}
	return out;
}

void replace_file(const std::string &file, std::string_view text)
{
	const auto fail = [&](const std::string &what) {
		const int reason = errno;
		return Error(exit_other, "cannot write " + file + " (" + what + ": " + std::strerror(reason) + "); it is what it was",
		    "prodsync detect prints the rules without --write");
	};
	std::error_code error;
	const auto path = std::filesystem::canonical(file, error);    // a link stays one
	const std::string real = error ? file : path.string();
	std::string beside = real + ".prodsync-XXXXXX";
	struct stat before {};
	const mode_t mode = ::stat(real.c_str(), &before) == 0 ? before.st_mode & 07777 : 0644;
	const int fd = ::mkostemp(beside.data(), O_CLOEXEC);
	if (fd < 0) throw fail("a file beside it");
	const auto give_up = [&](const std::string &what) {
		const auto told = fail(what);
		(void)::close(fd);
		(void)::unlink(beside.c_str());
		return told;
	};
	if (before.st_nlink > 0) [[maybe_unused]] const int given = ::fchown(fd, before.st_uid, before.st_gid);    // only root can give a file away
	(void)::fchmod(fd, mode);
	for (std::size_t at = 0; at < text.size();) {
		const auto written = ::write(fd, text.data() + at, text.size() - at);
		if (written < 0 && errno == EINTR) continue;
		if (written <= 0) throw give_up("writing");
		at += static_cast<std::size_t>(written);
	}
	if (::fsync(fd) != 0) throw give_up("fsync");
	if (::rename(beside.c_str(), real.c_str()) != 0) throw give_up("rename");
	(void)::close(fd);
}

}  // namespace client
