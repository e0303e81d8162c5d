// Every statement that is run on the source, and the COPY into a shadow: built here and nowhere else.
#pragma once
#include <functional>
#include <string>
#include <vector>
#include "plan.hpp"
#include "ways.hpp"

namespace core {

// Settings of every session on the source: fidelity of text forms, no time limits of ours, row security an error.
std::vector<std::string> source_settings(int server_version);
// Settings of every session on the target.
std::vector<std::string> target_settings(int server_version);
std::string begin_snapshot(const std::string
        &snapshot);  // BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY on it; "" exports a new one, whose name is the last result
std::string lock_source(const Name &relation);                              // LOCK TABLE ONLY ... IN ACCESS SHARE MODE
std::string source_filenode(const Name &relation);                          // SELECT pg_relation_filenode(...)
// A table that this transaction has read, of REPEATABLE READ, though its rows as of the snapshot are in its files no longer: truncated, rewritten or
// made since, so it may have read as empty; renamed, so another one may have been read; with a partition less. Its oid, its name, and what became of it
// ("was renamed"); no row: there is none. Asked while the locks of what was read are held.
std::string rewritten_since_snapshot();
bool reads_more(const Step &step);                                          // whether a load may read tables beside its own
std::string select_from_source(const Step &step);                           // SELECT ... FROM ONLY ...: the rows of a load
std::string copy_from_source(const Step &step);                             // COPY (SELECT ...) TO STDOUT
// What copy_from_source() reads behind the step's columns for masks to look at; it does not travel on. SQL over alias t, each once.
std::vector<std::string> read_beside(const Step &step);
std::string mask_condition(const MaskRule &);    // boolean, never NULL; empty: there is none
std::string mask_entity(const MaskRule &);       // the column whose value the mask is drawn from; empty: there is none
std::string copy_into_shadow(const Step &step, const std::string &shadow);  // COPY shadow (...) FROM STDIN (FREEZE ...)

// The type to cast to for values of this base type (as in Column; also of arrays): written alone, character and bit have length 1.
std::string cast_type(const std::string &base_type);
// {1,2,"x y"}, a text form of an array
std::string array_text(const std::vector<std::string> &values);
// '{1,2,"x y"}'::bigint[]
std::string array_literal(const std::vector<std::string> &values, const std::string &base_type);
// ONLY public.x: the rows of the table itself; a partitioned table has none of its own and is read through its root.
std::string from_only(const Relation &relation);
// A condition over `alias`, a row of a table with this path: the row leads to a tenant for whose key `of_key` (given the SQL of that
// key) holds. False or NULL where a column on the way is NULL, and where it names an object of no tenant. `ways` are of the side that is asked.
std::string path_condition(const Ways &ways, const std::vector<Hop> &path, const std::string &tenant_key,
    const std::string &alias, const std::function<std::string(const std::string &)> &of_key);
// Whether the tables and columns of the path are all there: where it forks, of the models in use whose tables are.
bool has_path(const Ways &ways, const Name &table, const std::vector<Hop> &path);
// The source's WHERE condition, over alias t, that leaves out rows of the tenants with these keys along the path. Empty where
// there is nothing to leave out. `tenant` is the tenant table, `tenant_key` the column that `keys` are of.
std::string tenant_filter(const Ways &source, const std::vector<Hop> &path, const Name &tenant, const std::string &tenant_key,
    const std::vector<std::string> &keys, const std::string &alias = "t");

}  // namespace core
