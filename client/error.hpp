// The client's one error type, and what may be said of a connection.
#pragma once
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include "../extension/core/config.hpp"

namespace client {

// In 1 to 7 the target is what it was.
enum Exit : int {
	exit_done = 0,
	exit_other = 1,          // lost in mid-run, source rewritten meanwhile, disk
	exit_usage = 2,
	exit_connect = 3,
	exit_refused = 4,        // guard, lock_wait over, another run, the target's schema changed meanwhile
	exit_plan = 5,           // configuration, or a problem in the plan
	exit_check = 6,          // a check failed
	exit_interrupted = 7,
	exit_differ = 8,
	exit_unknown = 9,        // nobody could say whether the COMMIT of the switch went through
	exit_afterwards = 10,    // refreshed, but something afterwards failed
};

// what() is the sentence after "prodsync: error: ". It never holds a value of a row or a password.
struct Error : std::runtime_error {
	int exit_code;
	std::string sqlstate, detail, hint;
	std::string condition;                            // the option whose SQL condition failed on the target: tenants.keep
	std::vector<core::Problem> problems;              // exit 5: all of them; what() says how many
	core::json items = core::json::array();           // DETAIL of the extension's own errors: failed checks, lock holders
	Error(int code, const std::string &text, std::string hint_ = {}, std::string detail_ = {}, std::string sqlstate_ = {})
		: runtime_error(text), exit_code(code), sqlstate(std::move(sqlstate_)), detail(std::move(detail_)), hint(std::move(hint_)) {}
};

// "2 problems stand in the way", with the problems.
Error problems_error(std::vector<core::Problem> problems);

// The text with what is secret in connection strings replaced by ***: password=... (quoted or not), postgres://user:pw@host,
// ?password=... For whatever text may contain a connection string.
std::string scrub(std::string_view text);

}  // namespace client
