// One refresh as the switch and the checks see it: which tables are replaced, where their old and their new rows are read, in SQL.
#pragma once
#include <map>
#include <set>
#include <memory>
#include <string>
#include <vector>
#include "core/graph.hpp"
#include "core/maps.hpp"
#include "core/masking.hpp"
#include "core/ways.hpp"
#include "core/words.hpp"
#include "ledger.hpp"
#include "pg.hpp"

namespace prodsync {

struct Refresh {
	pg::Extension extension{};
	int run = 0;
	Documents documents;
	core::Graph graph;                        // of documents.target
	core::Masking masks_of_kept;              // anonymize.kept_rows: mask
	std::map<Oid, Oid> shadows;               // original (or leaf) -> shadow
	bool nothing_comes = false;               // sync_clear(): there is no new content that a reference could move to
	mutable std::set<core::Name> adopted;     // tables of which rows were adopted, as far as is found out (adopt.hpp)
	mutable core::Models models;              // that rows of generic relations on tenant paths name, as kept rows are collected
	std::string started;                      // of the run: what a cached one is recognized by

	const core::Catalog &catalog() const { return documents.target; }
	const core::Config &config() const { return documents.config; }
	bool in_place() const { return documents.config.choice.in_place; }    // this database is its own source
	Oid oid(const core::Name &relation) const;
	// Its rows are replaced by the refresh (mode copy or empty).
	bool replaced(const core::Name &table) const;
	// FROM item with the rows that are there now: a partitioned table as a whole, any other without its inheritance children.
	std::string old_rows(const core::Name &table, const std::string &alias) const;
	// FROM item with the rows after the refresh: the shadow's (all leaves), or the table's own where it stays.
	std::string new_rows(const core::Name &table, const std::vector<std::string> &columns, const std::string &alias) const;
	std::string shadow_of(Oid original) const;    // SQL name
	// Columns that a row is made of: not generated ones.
	std::vector<const core::Column *> stored_columns(const core::Name &table) const;
};

// The refresh of a run, cached by the session: its documents are large, and every step needs them.
Refresh &refresh_of(const pg::Extension &, int run);
std::unique_ptr<Refresh> make_refresh(const pg::Extension &, int run, Documents documents);

bool plain_key_type(const std::string &base);    // moving_keys.cpp: a key of this type can become another
// parent.x OPERATOR(pg_catalog.=) child.a AND ...: of a foreign key
std::string key_equals(const core::ForeignKey &, const std::string &parent, const std::string &child);

}  // namespace prodsync
