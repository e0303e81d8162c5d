// One pair of sessions, source and target, that does steps of a run one after the other. Belongs to one thread at a time.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include "../extension/core/idmap.hpp"
#include "plan_run.hpp"
#include "progress.hpp"
#include "rewrite.hpp"

namespace client {

// The maps in the form the pump needs, made once and used by all workers.
class IdMaps {
	const core::Answers &answers_;
	std::mutex mutex_;
	std::map<std::tuple<core::Name, std::string, bool>, std::shared_ptr<const core::IdMap>> made_;

public:
	explicit IdMaps(const core::Answers &answers) : answers_(answers) {}
	// `type`: base type of the column that the map is for.
	std::shared_ptr<const core::IdMap> find(const core::Name &map, const std::string &type, bool binary);
};

// Shadows and their indexes -> the target's own: prodsync_work.s_<run>_<oid>, i_<shadow>_<oid>.
Connection::Names shown_names(const core::Catalog &target);

class Worker {
	const Prepared &prepared_;
	IdMaps &maps_;
	std::shared_ptr<const core::MaskKey> key_;
	const SourceSql source_sql_;
	Connection source_, target_;
	std::shared_ptr<core::Name> current_ = std::make_shared<core::Name>();    // what an error is about that names nothing

	bool parallel_ = true;    // as the server is set

	struct Loaded { std::int64_t rows = 0, bytes = 0; };
	Loaded load(int run, const core::Step &step, Progress &progress);
	Replacement replaced_by_model(
		std::size_t at, const core::Transfer &transfer, const std::vector<std::string> &columns, const core::Step &step);
	std::string begin_step(int run, const core::Step &step);

public:
	Worker(const RefreshOptions &options, const Prepared &prepared, IdMaps &maps);
	// Its own transactions; rows and bytes that were loaded. After an error the worker is of no use any more.
	// `alone`: other workers are idle, so the server may use processes of its own for an index.
	std::pair<std::int64_t, std::int64_t> work(int run, const core::Step &step, Progress &progress, bool alone);
	void cancel() const { source_.cancel(), target_.cancel(); }    // from any thread
};

}  // namespace client
