// What only data can answer, asked and kept. The client calls questions() again and again, asks each side with the statements
// it gets (built here, never by the target), hands the rows to take(), until nothing is left to ask: users and natural
// keys first, then what builds on their pairs. The source's statements the client runs itself; the target's are run by the
// extension (sync_answers()), which makes them from the same documents. The values of production's natural keys stay in the client,
// those of the target in the target: it answers with digests, to which the client's are compared. What goes to the target as the
// answers document is ids, counts and labels that may be shown.
#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>
#include "catalog.hpp"
#include "config.hpp"
#include "graph.hpp"

namespace core {

enum class Side { source, target };
using Row = std::vector<std::optional<std::string>>;

struct Condition {       // of the configuration, over the rows of one table
	std::string option;  // tenants.keep, users.fallback
	Name table;
	std::string text;
};

struct Question {
	std::string id;    // stable: "maximum public.apps_x.id", "pairs public.auth_user source"
	std::string kind;  // maximum, source_tenants, kept_tenants, pairs, doubles, fallback, unmatched, folds, left_out, missing, models, kept_rows
	Side side = Side::source;
	Name relation;
	std::vector<std::string> columns;  // what is asked about; the first one is the key
	std::string sql;                   // to be run on `side` only: on the source by the client, on the target by the extension
	// Of the target: the statement's $1 is the array of keys of these rows, who are found first, as whoever asks.
	std::optional<Condition> condition;
	// Of the target: $1 and $2 are where rows that are the source's own came from (origin.hpp of the extension): arrays of leaf/xmin of
	// loads, and of xmin of switches.
	bool origins = false;
};

struct Map {                                   // ids of the source -> ids of the target
	std::map<std::string, std::string> pairs;  // in the text form of the key
	std::optional<std::string> fallback;       // what every other id becomes; none: it must be in pairs
	std::string fallback_label;                // of the fallback user, may be shown
	std::int64_t fallback_candidates = 0;      // how many rows of the target match users.fallback; the lowest key is taken
	std::vector<std::string> unmatched;        // source ids without a counterpart (only without a fallback)
	bool as_is = false;                        // an id that is not in pairs stays what it is: the same row on both sides
};

struct Fold {  // rows of a source table that become equal in a unique index once users are mapped
	// Key -> surviving key. Where there is no single key: where the row lies (row_place() in folds.hpp) -> where the survivor lies.
	std::map<std::string, std::string> dropped;
	bool by_ctid = false;
	std::int64_t total = 0;            // rows of the table after its other filters
	std::vector<std::string> indexes;  // asked already
};

struct Answers {
	std::map<std::string, std::int64_t> maximums;  // "public.apps_x.id" -> largest value in the source
	std::vector<std::string> source_tenants;       // keys of the source's tenants that match keep
	std::vector<std::string> source_tenant_labels;  // for people here: production's texts are not sent to the target
	std::map<std::string, std::string> named_tenants;  // key -> label, of those that only and except name
	std::vector<std::string> tenant_labels;         // of production, where a name was not found; for people here
	std::map<std::string, std::int64_t> outside;    // foreign key -> source rows whose parent belongs to a tenant that is not copied
	std::map<std::string, std::int64_t> other_path; // "public.table" -> source rows that another path gives to another tenant
	std::map<std::string, std::int64_t> circles;    // "public.table" -> source rows whose path to a tenant is a circle (ways.hpp)
	// Tables that stay: ids that are the same row on both sides, from and to; private to the client, never in to_json().
	std::map<Name, std::vector<std::pair<std::string, std::string>>> known;
	std::vector<std::string> kept_tenants;          // labels of the target's, for people
	std::int64_t target_tenants = -1;               // how many there are in all
	std::map<Name, Map> maps;                       // by the kept table
	// "public.child.column" -> source rows that reference an unmatched id; "twice public.table" -> rows of either side whose natural key is not theirs alone
	std::map<std::string, std::int64_t> unmatched;
	std::map<Name, Fold> folds;
	std::map<Name, std::pair<std::int64_t, std::int64_t>> left_out;    // rows of the source that on_missing: drop leaves out, of how many
	std::map<std::string, std::int64_t> missing;    // "public.child.constraint" -> source rows whose reference leads to a row that is not copied
	// "public.table.object_id" -> the content types of production's rows and the models they are, and the models of the target's (generic.hpp)
	std::map<std::string, std::map<std::string, std::string>> models;
	std::map<std::string, std::vector<std::string>> models_here;
	std::map<Name, std::int64_t> kept_rows;  // of the target, for people
	std::map<std::string, Row> keys;         // private to the client while pairs are built; never in to_json()
	std::vector<std::string> asked;          // ids of questions that are answered

	void take(const Config &, const Graph &target, const Question &, const std::vector<Row> &rows);
	// For the target: without the texts that only the client's own plan needs (labels, ids without a counterpart: their number goes).
	json to_json() const;
	// Whether keys of production are in it that are neither numbers nor uuids: those of tenants and of rows that fold.
	bool has_text_keys() const;
	static Answers parse(const json &);
};

// Only questions that are not answered yet and can be asked now. `source` may have tables the target lacks and the other way
// round: such tables are not asked about on the side that lacks them.
std::vector<Question> questions(const Config &, const Catalog &source, const Catalog &target, const Answers &so_far);

}  // namespace core
