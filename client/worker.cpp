#include "worker.hpp"
#include <algorithm>
#include "../extension/core/statements.hpp"
#include "../extension/core/array_of_ids.hpp"
#include "../extension/core/key_types.hpp"
#include "../extension/core/masks.hpp"
#include "copy.hpp"
#include "fault_point.hpp"
#include "mask_column.hpp"
#include "session.hpp"

namespace client {
namespace {

constexpr const char *begin_target = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

bool number_at(std::string_view text, std::size_t at, std::int64_t &value)
{
	value = 0;
	if (at >= text.size()) return false;
	for (char c : text.substr(at)) {
		if (c < '0' || c > '9' || value > 0xffffffff) return false;
		value = value * 10 + (c - '0');
	}
	return true;
}

// What the target says goes into a COPY there, so it has to look like what we know.
void demand_shadow(const std::string &name)
{
	std::string_view rest = name;
	constexpr std::string_view prefix = "prodsync_work.s_";
	if (!rest.starts_with(prefix) || rest.substr(prefix.size()).find_first_not_of("0123456789_") != std::string_view::npos)
		throw Error(exit_refused, "the target named a shadow in a way that is not known");
}

Error run_again(const std::string &what) { return Error(exit_other, what, "nothing was changed; run the refresh again"); }

}  // namespace

std::shared_ptr<const core::IdMap> IdMaps::find(const core::Name &map, const std::string &type, bool binary)
{
	std::lock_guard lock(mutex_);
	auto &one = made_[{map, type, binary}];
	if (one) return one;
	if (auto ids = answers_.maps.find(map); ids != answers_.maps.end()) one = std::make_shared<core::IdMap>(ids->second, type, binary);
	else if (auto fold = answers_.folds.find(map); fold != answers_.folds.end()) one = std::make_shared<core::IdMap>(fold->second, type, binary);
	else throw Error(exit_other, "the plan has a map for " + map.shown() + " that nothing was asked about");
	return one;
}

Connection::Names shown_names(const core::Catalog &target)
{
	auto relations = std::make_shared<std::map<std::int64_t, core::Name>>();
	auto indexes = std::make_shared<std::map<std::int64_t, std::string>>();
	for (const auto &[name, relation] : target.relations) {
		relations->emplace(relation.oid, name);
		for (const core::Index &index : relation.indexes) indexes->emplace(index.oid, index.name);
	}
	return [relations, indexes](Connection::Object object) {
		std::int64_t oid = 0;
		if (object.schema != "prodsync_work") return object;
		if (object.table.starts_with("s_") && number_at(object.table, object.table.rfind('_') + 1, oid))
			if (auto found = relations->find(oid); found != relations->end()) object.schema = found->second.schema, object.table = found->second.name;
		if (object.constraint.starts_with("i_") && number_at(object.constraint, object.constraint.rfind('_') + 1, oid))
			if (auto found = indexes->find(oid); found != indexes->end()) object.constraint = found->second;
		return object;
	};
}

Worker::Worker(const RefreshOptions &options, const Prepared &prepared, IdMaps &maps)
	: prepared_(prepared), maps_(maps), key_(options.key.key), source_sql_(options.source_sql), source_(options.source), target_(options.target)
{
	settle(source_, core::source_settings(source_.server()));
	settle(target_, core::target_settings(target_.server()));
	// A shadow that a crash takes is made again by the next run; waiting for the disk at every small table is what costs.
	target_.exec("SET synchronous_commit = off");
	if (options.config.choice.in_place)
		for (Connection *side : {&source_, &target_}) limit_lock_waits(*side);
	target_.names([known = shown_names(prepared.target_catalog), current = current_](Connection::Object object) {
		object = known(object);
		if (object.table.empty()) object.schema = current->schema, object.table = current->name;
		return object;
	});
	source_.names([current = current_](Connection::Object object) {
		if (object.table.empty()) object.schema = current->schema, object.table = current->name;
		return object;
	});
}

std::string Worker::begin_step(int run, const core::Step &step)
{
	return target_.one("SELECT " + prepared_.extension.call("sync_step($1::pg_catalog.int4, $2::pg_catalog.int4)"),
		{std::to_string(run), std::to_string(step.step)}).value_or("");
}

// A map for each content type, told by the bytes of the column beside.
Replacement Worker::replaced_by_model(std::size_t at, const core::Transfer &transfer, const std::vector<std::string> &columns, const core::Step &step)
{
	using Find = std::function<std::optional<std::string_view>(std::string_view)>;
	const core::Relation *relation = prepared_.target_catalog.find(step.relation);
	const core::Column *id = relation ? relation->column(transfer.column) : nullptr,
	                   *type = relation ? relation->column(transfer.by_column) : nullptr;
	const auto beside = std::find(columns.begin(), columns.end(), transfer.by_column);
	if (!id || !type || beside == columns.end())
		throw Error(exit_other, step.relation.shown() + "." + transfer.column + ": its content type is not copied");
	auto finds = std::make_shared<std::map<std::string, Find, std::less<>>>();
	for (const auto &[model, name] : transfer.by_model)
		finds->emplace(core::wire_form(model, type->base, step.binary),
		    [map = maps_.find(name, id->base, step.binary)](std::string_view value) { return map->find(value); });
	Replacement out{at, transfer.column, {}, transfer.null_unmatched};
	out.value_in_row = [finds, which = static_cast<std::size_t>(beside - columns.begin())](
	                       std::string_view value, const auto &row) -> std::optional<std::string_view> {
		const auto found = row[which] ? finds->find(*row[which]) : finds->end();
		return found == finds->end() ? value : found->second(value);
	};
	return out;
}

Worker::Loaded Worker::load(int run, const core::Step &step, Progress &progress)
{
	const std::string shown = step.source_relation.shown(), &side = source_.endpoint().label;
	// A transaction of its own: production's lock on the table ends with it.
	try {
		source_.exec(core::begin_snapshot(prepared_.snapshot));
	} catch (Error &error) {
		if (error.sqlstate != "22023" && error.sqlstate != "55000") throw;
		throw run_again("the snapshot of " + side + " is gone: the session that held it was ended");
	}
	try {
		source_.exec(core::lock_source(step.source_relation));
	} catch (Error &error) {
		if (error.sqlstate != "42P01" && error.sqlstate != "3F000") throw;
		throw run_again(shown + " of " + side + " was dropped or renamed while it waited to be read");
	}
	// Only now it stays as it is: a table truncated or rewritten after our snapshot reads as empty, without an error (S6).
	if (source_.one(core::source_filenode(step.source_relation)) != std::to_string(step.source_filenode))
		throw run_again(shown + " of " + side + " was truncated or rewritten while it waited to be read");

	FAULT_POINT("source locked");
	target_.exec(begin_target);
	const std::string shadow = begin_step(run, step);
	demand_shadow(shadow);
	std::vector<Replacement> replacements;
	std::vector<std::string> columns;
	std::vector<std::pair<std::size_t, const core::Transfer *>> by_model;
	const core::Step read = with_sql(step, source_sql_);
	const std::vector<std::string> beside = core::read_beside(read);
	const core::Relation *relation = prepared_.target_catalog.find(step.relation);
	for (const core::Transfer &transfer : read.columns) {
		if (!transfer.map.empty()) {
			const core::Column *column = relation ? relation->column(transfer.column) : nullptr;
			const std::string type = column ? column->base : transfer.type;
			const bool array = core::is_id_array(type);
			auto map = maps_.find(transfer.map, array ? core::element_type(type) : type, step.binary);
			const auto find = [map](std::string_view value) { return map->find(value); };
			if (array) replacements.push_back({columns.size(), transfer.column, core::ArrayOfIds(find, step.binary, transfer.null_unmatched), false});
			else replacements.push_back({columns.size(), transfer.column, find, transfer.null_unmatched});
		}
		if (transfer.mask.masks() && transfer.mask.strategy != core::by_production)
			replacements.push_back(masked_column(
			    columns.size(), transfer, step, beside, key_.get(), prepared_.source_catalog, prepared_.target_catalog));
		if (!transfer.by_model.empty()) by_model.emplace_back(columns.size(), &transfer);
		columns.push_back(transfer.column);
	}
	for (const auto &[column, transfer] : by_model) replacements.push_back(replaced_by_model(column, *transfer, columns, read));
	Rewriter rewriter(step.relation.shown(), step.binary, columns.size(), std::move(replacements), beside.size());
	source_.copied_columns(columns);
	target_.copied_columns(columns);
	const Copied copied = copy(source_, core::copy_from_source(read), target_, core::copy_into_shadow(step, shadow), rewriter,
		[&](const Copied &so_far) { progress.advanced(step, so_far.rows, so_far.bytes); });
	target_.copied_columns({});
	FAULT_POINT("rows sent");
	// What says which rows are copied, or how they are masked, may have been gone the same way.
	if (core::reads_more(read))
		if (const auto rewritten = read_but_rewritten(source_, prepared_.source_catalog))
			throw run_again(rewritten->name + " of " + side + ", which says what of " + shown + " is copied, " + rewritten->what + " meanwhile");
	source_.exec("COMMIT");
	target_.exec("SELECT " + prepared_.extension.call("sync_loaded($1::pg_catalog.int4, $2::pg_catalog.int4, $3::pg_catalog.int8)"),
		{std::to_string(run), std::to_string(step.step), std::to_string(copied.rows)});
	FAULT_POINT("load not committed");
	target_.exec("COMMIT");
	return {copied.rows, copied.bytes};
}

std::pair<std::int64_t, std::int64_t> Worker::work(int run, const core::Step &step, Progress &progress, bool alone)
{
	*current_ = step.relation;
	FAULT_POINT("between steps");
	progress.started(step);
	Loaded loaded;
	if (step.kind == "load") {
		loaded = load(run, step, progress);
	} else {
		// Where every worker is at work, parallel workers of an index build only add what they cost.
		if (step.kind == "index" && parallel_ != alone) {
			target_.exec(alone ? "RESET max_parallel_maintenance_workers" : "SET max_parallel_maintenance_workers = 0");
			parallel_ = alone;
		}
		target_.exec(begin_target);
		begin_step(run, step);
		FAULT_POINT(step.kind + " not committed");
		target_.exec("COMMIT");
	}
	progress.finished(step, loaded.rows);
	return {loaded.rows, loaded.bytes};
}

}  // namespace client
