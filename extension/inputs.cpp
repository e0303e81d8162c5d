#include "inputs.hpp"
#include "refresh.hpp"

namespace prodsync {

core::json json_arg(FunctionCallInfo fcinfo, int n) { return core::json::parse(pg::arg_text(fcinfo, n)); }

template <class Document> static Document parse(FunctionCallInfo fcinfo, int n, const char *what)
{
	try {
		return Document::parse(json_arg(fcinfo, n));
	} catch (const std::exception &e) {  // never the server's: it does not run in there
		throw pg::Error(ERRCODE_INVALID_PARAMETER_VALUE, what + std::string(e.what()));
	}
}
core::Catalog source_arg(FunctionCallInfo fcinfo, int n) { return parse<core::Catalog>(fcinfo, n, "source: "); }
core::Answers answers_arg(FunctionCallInfo fcinfo, int n) { return parse<core::Answers>(fcinfo, n, ""); }

core::json target_document(const pg::Extension &extension)
{
	pg::AsExtension as(extension);
	return core::json::parse(read_catalog());
}

void refuse_problems(const std::vector<core::Problem> &problems)
{
	if (problems.empty()) return;
	core::json detail = core::json::array();
	for (const core::Problem &problem : problems)
		detail.push_back({{"id", problem.id}, {"object", problem.object}, {"text", problem.text}, {"fix", problem.fix}});
	const core::Problem &first = problems[0];
	std::string count = std::to_string(problems.size());
	throw pg::Error(PS_PROBLEMS, (problems.size() == 1 ? "1 problem: " : count + " problems, the first: ") + first.text,
	    detail.dump(), first.fix);
}

std::optional<core::Config> current_config(const pg::Extension &extension)
{
	std::optional<std::string> stored;
	{
		pg::AsExtension as(extension);
		pg::Spi spi;
		stored = spi.one("SELECT config::text FROM prodsync_work.configuration");
	}
	if (!stored) return std::nullopt;
	std::vector<core::Problem> problems;  // it was checked when it was stored
	return core::Config::parse(core::json::parse(*stored), problems);
}

static std::string author_of_config(const pg::Extension &extension)
{
	pg::AsExtension as(extension);
	pg::Spi spi;
	return spi.one("SELECT set_by FROM prodsync_work.configuration").value_or("");
}
bool may_run_stored_text(const pg::Extension &extension)
{
	std::string author = author_of_config(extension), caller = pg::role_name(pg::caller());
	if (author.empty() || author == caller) return true;
	pg::AsExtension as(extension);
	pg::Spi spi;    // an author that is gone could do nothing
	return spi.one("SELECT pg_has_role(a.oid, c.oid, 'USAGE') FROM pg_roles a, pg_roles c WHERE a.rolname = $1::name AND "
	               "c.rolname = $2::name",
	           {author, caller}) == "t";
}
void refuse_foreign_text(const pg::Extension &extension)
{
	if (may_run_stored_text(extension)) return;
	std::string author = author_of_config(extension);
	throw pg::Error(PS_REFUSED, "the stored configuration is " + author + "'s: its conditions would run with your rights", {},
					"SET ROLE to " + author + ", or store a configuration of your own: sync_configure().");
}

void store_config(const pg::Extension &extension, const core::Config &config)
{
	std::string role = pg::role_name(pg::caller());
	core::Config staying = config;
	staying.choice = {};    // of one run only
	pg::AsExtension as(extension);
	pg::Spi spi;
	spi.run("INSERT INTO prodsync_work.configuration (config, set_by) VALUES ($1::jsonb, $2::name)"
	        " ON CONFLICT (one) DO UPDATE SET config = excluded.config, set_by = excluded.set_by, set_at = now()",
	    {staying.to_json().dump(), role});
}

}  // namespace prodsync
