#include "ask.hpp"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include "../extension/core/graph.hpp"
#include "../extension/core/rules.hpp"
#include "../extension/core/statements.hpp"
#include "fault_point.hpp"

namespace client {

// The planner does not know who asks; what is there to type should.
void name_role(core::Plan &plan, const Connection &source)
{
	constexpr std::string_view unnamed = "<role of the source>";
	const std::string name = core::quote_identifier(source.user());
	for (auto *list : {&plan.problems, &plan.warnings})
		for (core::Problem &problem : *list)
			for (std::size_t at = 0; (at = problem.fix.find(unnamed, at)) != std::string::npos; at += name.size())
				problem.fix.replace(at, unnamed.size(), name);
}

namespace {

// What of the configuration a question to the source comes from: it may be the reason that the statement is none.
std::string configured_text(const core::Question &question, const core::Config &config)
{
	if (question.kind != "source_tenants") return {};
	return config.tenants && !config.tenants->exclude_source.empty() ? "tenants.exclude_source" : "tenants.keep";
}

// Classes 2 and 4 are what a condition can do wrong.
[[noreturn]] void fail(Error &error, const std::string &condition, const std::string &relation, const Connection &side)
{
	const char first = error.sqlstate.empty() ? '0' : error.sqlstate[0];
	if (!condition.empty() && (first == '2' || first == '4') && error.sqlstate != "40001")
		throw Error(exit_plan, condition + " cannot be evaluated on " + error.what(),
		    "it is an SQL condition over the columns of " + relation, {}, error.sqlstate);
	if (error.exit_code == exit_other && side.usable())
		throw Error(error.exit_code, error.what() + (relation.empty() ? "" : " (about " + relation + ")"), error.hint, error.detail, error.sqlstate);
	throw error;
}

// An index's expression fails over the ids that rows are going to have. What the server says of it may have values in it.
core::Plan undecided_fold(const core::Catalog &target, const core::Question &question, const std::string &sqlstate)
{
	const std::string about = "folds " + question.relation.sql() + ".", shown = question.relation.shown();
	core::Plan plan;
	for (const core::Index &index : target.find(question.relation)->indexes) {
		const std::string id = about + core::quote_identifier(index.name);
		if (question.id != id && !question.id.starts_with(id + " after ")) continue;
		plan.problems.push_back({"fold-expression", shown,
		    "rows of " + shown + " may become equal in the unique index " + index.name +
		        " once ids are mapped; which ones cannot be told: production's index fails over the new ids (SQLSTATE " + sqlstate + ")",
		    "DROP INDEX " + core::Name{question.relation.schema, index.name}.sql() + ";    -- in the target; or tables: {" +
		        core::yaml_table(target, question.relation) + ": {mode: keep}}"});
		break;
	}
	return plan;
}

std::vector<core::Row> ask_source(const RefreshOptions &options, const Prepared &prepared, const core::Answers &answers, const core::Question &question)
{
	Connection &source = *prepared.source;
	try {
		// The snapshot's transaction lasts as long as the load; what a question locks in production is given back at once.
		source.exec("SAVEPOINT question");
		FAULT_POINT("asking");
		auto rows = source.exec(question.sql, {}, Show::message).all();
		if (const auto rewritten = rewritten_of(source.exec("EXECUTE prodsync_rewritten"), prepared.source_catalog))
			throw Error(exit_other,
			    rewritten->name + " " + rewritten->what + " in " + source.endpoint().label + " meanwhile; nothing was changed", "run it again");
		source.exec("ROLLBACK TO SAVEPOINT question");
		source.exec("RELEASE SAVEPOINT question");
		return rows;
	} catch (Error &error) {
		// A right that is missing is a problem of the plan, with the GRANT to type.
		if (error.sqlstate == "42501") {
			auto plan = core::make_plan(options.config, prepared.source_catalog, prepared.target_catalog, answers);
			std::erase_if(plan.problems, [](const core::Problem &problem) { return problem.id == "questions"; });
			name_role(plan, source);
			refuse_problems(plan);
		}
		if (question.kind == "folds" && (error.sqlstate.starts_with("22") || error.sqlstate.starts_with("42")))
			refuse_problems(undecided_fold(prepared.target_catalog, question, error.sqlstate));
		fail(error, configured_text(question, options.config), question.relation.shown(), source);
	}
}

using Answered = std::map<std::string, std::vector<core::Row>>;    // by question

// The target answers all that a round asks of it at once, by statements of its own core.
Answered ask_target(const RefreshOptions &options, const Prepared &prepared, const core::Answers &answers)
{
	Answered out;
	try {
		Result rows = prepared.target->exec("SELECT question, pg_catalog.array_to_json(cells) FROM " +
		        prepared.extension.call("sync_answers($1::pg_catalog.jsonb, $2::pg_catalog.jsonb, $3::pg_catalog.jsonb)"),
		    {options.shared_config.dump(), prepared.source_document.dump(), core::json{{"asked", answers.asked}}.dump()},
		    Show::message);  // the rest is none of the target's business yet
		for (int i = 0; i < rows.rows(); ++i) {
			const core::json cells = core::json::parse(rows.text(i, 1), nullptr, false);
			core::Row row;
			if (cells.is_array())
				for (const core::json &cell : cells) row.push_back(cell.is_string() ? std::optional(cell.get<std::string>()) : std::nullopt);
			out[rows.text(i, 0)].push_back(std::move(row));
		}
	} catch (Error &error) {
		const auto &config = options.config;
		fail(error, error.condition,
		    error.condition == "users.fallback" && config.users ? config.users->table
		        : config.tenants                                ? config.tenants->table
		                                                        : "",
		    *prepared.target);
	}
	return out;
}

}  // namespace

core::Answers ask(const RefreshOptions &options, const Prepared &prepared)
{
	std::vector<core::Problem> problems, warnings;
	const auto graph = core::Graph::build(options.config, prepared.target_catalog, problems, warnings);
	core::Answers answers;
	// Asked after each of what may be thousands of questions: planning it each time took half of a plan of 1,000 tables.
	prepared.source->exec("PREPARE prodsync_rewritten AS " + core::rewritten_since_snapshot());
	for (;;) {
		const auto questions = core::questions(options.config, prepared.source_catalog, prepared.target_catalog, answers);
		if (questions.empty()) break;
		const std::size_t before = answers.asked.size();
		std::atomic<bool> wanted = true;
		auto of_source = std::async(std::launch::async, [&] {
			Answered out;
			for (const core::Question &question : questions)
				if (wanted && question.side == core::Side::source) out[question.id] = ask_source(options, prepared, answers, question);
			return out;
		});
		Answered of_target;
		if (std::any_of(questions.begin(), questions.end(), [](const core::Question &question) { return question.side == core::Side::target; }))
			try {
				of_target = ask_target(options, prepared, answers);
			} catch (...) {
				// What the source says is of no use any more. A cancel between two statements is lost.
				wanted = false;
				do prepared.source->cancel();
				while (of_source.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready);
				throw;
			}
		auto rows_of_source = of_source.get();
		// A target that answers what was asked of the source is not heard.
		for (const core::Question &question : questions)
			answers.take(options.config, graph, question, (question.side == core::Side::source ? rows_of_source : of_target)[question.id]);
		// Each round answers what it asks; else this would never end.
		if (answers.asked.size() == before) throw Error(exit_other, "the plan asks the same questions again");
	}
	prepared.source->exec("DEALLOCATE prodsync_rewritten");
	return answers;
}

}  // namespace client
