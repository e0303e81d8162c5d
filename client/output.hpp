// What people and machines see. A command returns an Outcome and prints nothing itself; stdout gets its text or one JSON object,
// stderr the error. Everything here is a pure function of its arguments, so tests compare whole screens.
#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>
#include "config.hpp"
#include "error.hpp"

namespace client {

// An error as it is told: the one of an exception, with the places in the configuration that its problems speak about.
struct Failure {
	int exit_code = exit_other;
	std::string sqlstate, text, detail, hint;
	struct Item {
		core::Problem problem;
		std::string place;           // "prodsync.yaml:14:7", or empty
		bool configuration = false;  // told as a compiler does: place: error: text
	};
	std::vector<Item> problems;
	core::json items = core::json::array();  // failed checks, lock holders

	// `settings` (may be null) knows where the keys stand that the problems name.
	static Failure of(const Error &error, const Settings *settings);
};

struct Outcome {
	int exit_code = exit_done;
	std::string text;  // for stdout, with the line feed at the end
	std::optional<int> run;
	std::map<std::string, std::int64_t> tables;  // rows
	std::int64_t total_rows = 0;
	std::size_t masked_columns = 0;
	core::json details = core::json::array();
	std::vector<std::string> warnings;
	std::optional<Failure> failure;                                  // the command had results and failed all the same
	nlohmann::ordered_json more = nlohmann::ordered_json::object();  // what only this command says
};

// "prodsync: error: ...", detail, hint, or the list of problems. Ends with a line feed; scrubbed.
std::string error_text(const Failure &failure);
// The one object of --format json, one line. `outcome` is of a command that returned, `failure` of one that threw.
std::string json_text(const std::string &command, const Outcome &outcome);
std::string json_text(const std::string &command, const Failure &failure);

// Columns under each other; counts code points, not bytes. Rows may be shorter than the header; no spaces at line ends.
class TextTable {
	std::string indent_;
	std::vector<bool> right_;
	std::vector<std::vector<std::string>> rows_;

public:
	// A header that begins with '>' stands over numbers: the column is right-aligned.
	TextTable(std::vector<std::string> header, std::string indent = "  ");
	void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
	std::size_t rows() const { return rows_.size() - 1; }
	std::string text() const;
};

// "1 row", "2 rows"; the plural is made with s.
std::string counted(std::int64_t count, const std::string &what);
// 150008 -> "15.8"
std::string shown_version(int server);
std::string list(const std::vector<std::string> &words, std::size_t most = 0);  // "a, b"; with `most`: "a, b and 3 more"
// Control characters of a value that came from a database are shown, not sent to the terminal.
std::string printable(std::string_view text);

}  // namespace client
