// A name alone says little: a table "schedule" may be one of trains. So a word of the name counts where a column shows what the rows are for.
#include "outgoing.hpp"

#include <algorithm>

#include "detect_names.hpp"
#include "rules.hpp"

namespace core {

namespace {

struct Sign {
	const char *what;
	std::vector<const char *> of_name;       // one of these among the name's words; two words with a blank follow each other
	std::vector<const char *> of_columns;    // and one of these among a column's; none: the name is enough
};

const std::vector<Sign> &signs()
{
	static const std::vector<Sign> table{
	    {"webhooks", {"webhook", "webhooks", "hook subscription", "callback url"},
	        {"url", "uri", "endpoint", "target", "address"}},
	    {"device tokens",
	        {"device token", "device tokens", "push token", "push tokens", "push subscription", "push subscriptions",
	            "push device", "push devices", "fcm", "apns", "gcm", "webpush"},
	        {"token", "endpoint", "registration", "subscription"}},
	    {"device tokens", {"device", "devices"}, {"push", "fcm", "apns", "gcm"}},
	    {"messages to send",
	        {"outbox", "mail queue", "email queue", "sms queue", "outgoing", "outbound", "mailer", "mailing queue"}, {}},
	    {"a queue of jobs", {"job", "jobs", "task queue", "job queue", "queue", "work queue", "delayed", "background"},
	        {"payload", "handler", "run at", "attempts", "args", "arguments", "available at", "locked at", "locked by", "eta"}},
	    {"a schedule of tasks", {"schedule", "schedules", "scheduled", "periodic", "cron", "crontab", "recurring", "scheduler"},
	        {"cron", "crontab", "next run", "last run", "run at", "task", "command", "job"}},
	};
	return table;
}

// " device token ": so that words are found as they are, next to each other.
std::string spaced(std::string_view name)
{
	std::string out = " ";
	for (const std::string &word : words_of_name(name)) out += word + " ";
	return out;
}

bool has(const std::string &words, const std::vector<const char *> &wanted)
{
	return std::any_of(wanted.begin(), wanted.end(), [&](const char *one) { return words.find(" " + std::string(one) + " ") != std::string::npos; });
}

}  // namespace

std::string acts_outside(const Relation &table)
{
	const std::string name = spaced(table.name.name);
	for (const Sign &sign : signs())
		if (has(name, sign.of_name) &&
		    (sign.of_columns.empty() || std::any_of(table.columns.begin(), table.columns.end(), [&](const Column &column) {
			    return has(spaced(column.name), sign.of_columns);
		    })))
			return sign.what;
	return {};
}

std::vector<Problem> outgoing_tables(const Graph &graph, const Catalog &catalog, const std::map<Name, const TableRule *> &rules)
{
	std::string names, lines;
	for (const Relation *table : catalog.tables()) {
		const auto rule = rules.find(table->name);
		const TableNode &node = graph.node(table->name);
		if (node.stays || node.mode != Mode::copy || (rule != rules.end() && rule->second->mode)) continue;
		const std::string what = acts_outside(*table);
		if (what.empty()) continue;
		names += (names.empty() ? "" : ", ") + table->name.shown() + " (" + what + ")";
		lines += "\n  " + yaml_table(catalog, table->name) + ": {mode: empty}";
	}
	if (names.empty()) return {};
	return {{"acts-outside", "tables",
	    "copied, with whatever production has in store: " + names + "; what works on these tables here acts on real people",
	    "tables:" + lines + "\n  # mode: copy, where nothing here does"}};
}

}  // namespace core
