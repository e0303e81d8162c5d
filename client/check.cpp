// prodsync check: the target's own checks, at any time.
#include "commands.hpp"
#include "core/statements.hpp"
#include "interrupt.hpp"
#include "session.hpp"

namespace client {

Target open_target(const Options &options, Settings &settings)
{
	settings = read_settings(options.config, options.config_given || !is_dsn(options.to));
	auto which = side(settings, options.to, "--to");
	Connection connection(which.endpoint);
	settle(connection, core::target_settings(connection.server()));
	auto extension = find_extension(connection);
	return {std::move(which), std::move(connection), std::move(extension)};
}

Outcome check(const Options &options, Settings &settings)
{
	if (!options.against.empty()) return check_against(options, settings);
	auto target = open_target(options, settings);
	const auto checks = check_results(target.connection.exec(
	    "SELECT check_name, object, violations, detail, ok FROM " + target.extension.call("sync_check") + "()", {},
	    Show::message));
	Outcome outcome;
	outcome.text = checks_text(checks);
	outcome.details = checks_json(checks);
	std::int64_t failed = 0;
	for (const auto &one : checks) failed += !one.ok;
	const auto &name = target.side.endpoint.label;
	outcome.more = {{"failed", failed}};
	if (!failed) {
		outcome.text += name + ": " + counted(static_cast<std::int64_t>(checks.size()), "check") + ", all ok\n";
		return outcome;
	}
	outcome.exit_code = exit_check;
	Failure failure;
	failure.exit_code = exit_check;
	failure.text =
	    show_count(failed) + " of " + counted(static_cast<std::int64_t>(checks.size()), "check") + " failed on " + name;
	outcome.failure = failure;
	return outcome;
}

}  // namespace client
