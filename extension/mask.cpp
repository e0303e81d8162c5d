// sync_mask() and its siblings: the maskers of core on values of this database. In a refresh they are not used (the client masks rows
// before they get here, and its key never does); they are for rows that are here already, and for seeing what a rule does. The target's own rows are
// masked here, where the configuration says kept_rows: mask.
//
// The key comes from the file that prodsync.key_file names, which only a superuser can set, or, for this session alone, from
// sync_set_key(). It is no setting itself: settings can be shown.
#include <cerrno>
#include <cstring>
#include <system_error>
#include <map>
#include <memory>
#include "core/config.hpp"
#include "core/key_file.hpp"
#include "core/masks.hpp"
#include "core/value_text.hpp"
#include "mask.hpp"
#include "content.hpp"
#include "pg_server.hpp"
extern "C" {
#include "mb/pg_wchar.h"
#include "storage/fd.h"
#include "utils/builtins.h"
}

namespace prodsync {

const core::MaskRule *mask_of_kept(const Refresh &refresh, const core::Name &table, const std::string &column)
{
	const auto rules = refresh.masks_of_kept.find(refresh.catalog().root(table));
	if (rules == refresh.masks_of_kept.end()) return nullptr;
	const auto rule = rules->second.find(column);
	return rule != rules->second.end() && rule->second.masks() ? &rule->second : nullptr;
}

namespace {

char *key_file = nullptr;    // prodsync.key_file

struct MaskKeyState {
	std::optional<core::MaskKey> of_session;
	std::optional<core::MaskKey> of_file;
	TimestampTz read_at = 0;    // the statement that read the file: the next one looks again
	std::map<std::string, std::unique_ptr<core::Mask>> masks;    // by rule; made with the keys as they are
	std::map<std::string, std::unique_ptr<core::Mask>> kept;     // the same with the file's key; within MaskKeptRows
	std::map<std::string, core::MaskRule> forms;                  // that has_masked_form() was asked about
	bool masks_kept = false;
	std::vector<std::unique_ptr<core::Mask>> in_place;    // within MaskInPlace
	std::vector<std::int64_t> masked_in_place;
};
MaskKeyState state;

// What the file holds, or an error without a word of it.
core::MaskKey key_of_file(const char *name)
{
	auto refuse = [&](const std::string &why) {
		return pg::Error(ERRCODE_CONFIG_FILE_ERROR, "the key file that prodsync.key_file names " + why, {},
		    "It holds 64 hex digits (openssl rand -hex 32), and nobody but the server's operating system user may read it.");
	};
	const int fd = pg::call([=] { return OpenTransientFile(name, O_RDONLY | O_NONBLOCK | PG_BINARY); });
	if (fd < 0) throw refuse("cannot be read: " + std::generic_category().message(errno));
	core::KeyFault fault{};
	std::string why;
	const auto key = core::read_key(fd, fault, why);
	pg::call([=] { (void)CloseTransientFile(fd); });
	if (!key) throw refuse(why);
	return *key;
}

const core::MaskKey &current_key()
{
	if (state.of_session) return *state.of_session;
	if (!key_file || !*key_file)
		throw pg::Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "there is no masking key", {},
		    "A superuser names a file with one in prodsync.key_file, or this session says SELECT sync_set_key('64 hex digits').");
	const TimestampTz statement = GetCurrentStatementStartTimestamp();
	if (!state.of_file || state.read_at != statement) {
		state.of_file.reset();
		state.masks.clear();
		state.of_file = key_of_file(key_file);
		state.read_at = statement;
	}
	return *state.of_file;
}

void forget_file_key(const char *, void *)
{
	state.of_file.reset();
	state.masks.clear();
}

core::MaskRule rule_of(const std::string &strategy, const std::string &options)
{
	core::json rule = options.empty() ? core::json::object() : core::json::parse(options);
	if (!rule.is_object()) throw pg::Error(ERRCODE_INVALID_PARAMETER_VALUE, "options must be a JSON object, for instance {\"length\": 32}");
	if (rule.contains("strategy"))
		throw pg::Error(ERRCODE_INVALID_PARAMETER_VALUE, "options are those of the strategy; strategy is an argument of its own");
	rule["strategy"] = strategy;
	std::vector<core::Problem> problems;
	const auto parsed = core::parse_mask_rule(rule, {}, "options", problems);
	if (!problems.empty()) throw pg::Error(ERRCODE_INVALID_PARAMETER_VALUE, problems.front().text, {}, problems.front().fix);
	if (!parsed) throw pg::Error(ERRCODE_INVALID_PARAMETER_VALUE, "a strategy is needed");
	return *parsed;
}

// The text argument, in UTF-8 whatever the database's encoding: a mask is the same in every database.
std::string utf8_arg(FunctionCallInfo fcinfo, int n)
{
	const Datum value = PG_GETARG_DATUM(n);
	struct Bytes {
		const char *data;
		std::size_t size;
	};
	const Bytes bytes = pg::call([=] {
		text *t = DatumGetTextPP(value);
		char *given = VARDATA_ANY(t);
		const int size = static_cast<int>(VARSIZE_ANY_EXHDR(t));
		char *utf8 = pg_server_to_any(given, size, PG_UTF8);
		return Bytes{utf8, utf8 == given ? static_cast<std::size_t>(size) : std::strlen(utf8)};
	});
	return {bytes.data, bytes.size};
}

// In the encoding of this database. What a mask keeps of a value came from it, so it has a form there.
Datum datum(FunctionCallInfo fcinfo, std::optional<std::string_view> mask)
{
	if (!mask) PG_RETURN_NULL();
	const char *utf8 = mask->data();
	const int size = static_cast<int>(mask->size());
	return pg::call([=] {
		const char *own = pg_any_to_server(const_cast<char *>(utf8), size, PG_UTF8);
		return PointerGetDatum(cstring_to_text_with_len(own, own == utf8 ? size : static_cast<int>(std::strlen(own))));
	});
}

Datum masked(FunctionCallInfo fcinfo, const std::string &strategy, const std::string &options)
{
	if (strategy == core::by_production)
		throw pg::Error(ERRCODE_FEATURE_NOT_SUPPORTED, "strategy sql is an expression that production evaluates while it is read",
		    {}, "SELECT the expression itself.");
	const core::Strategy *known = core::find_strategy(strategy);
	const core::MaskKey *key = known && known->keyed ? &current_key() : nullptr;    // forgets the masks of another key
	const std::string label = strategy + "\n" + options;
	auto mask = state.masks.find(label);
	if (mask == state.masks.end()) {
		const core::MaskRule rule = rule_of(strategy, options);
		if (!rule.masks()) return PG_GETARG_DATUM(0);    // none: as it is
		if (state.masks.size() >= 64) state.masks.clear();    // options that differ from row to row must not fill the memory
		try {
			mask = state.masks.emplace(label, std::make_unique<core::Mask>(rule, key)).first;
		} catch (const std::invalid_argument &e) {    // a choice that only a column's type could tell
			throw pg::Error(ERRCODE_INVALID_PARAMETER_VALUE, e.what());
		}
	}
	return datum(fcinfo, (*mask->second)(utf8_arg(fcinfo, 0)));
}

}  // namespace

bool has_file_key()
{
	if (!key_file || !*key_file) return false;
	try {
		(void)key_of_file(key_file);
		return true;
	} catch (const pg::Error &) {
		return false;
	}
}

MaskKeptRows::MaskKeptRows() : before_(state.masks_kept)
{
	state.kept.clear();
	state.masks_kept = true;
}
MaskKeptRows::~MaskKeptRows()
{
	state.masks_kept = before_;
	state.kept.clear();
}

MaskInPlace::MaskInPlace(const std::vector<std::pair<core::MaskRule, std::string>> &rules)
{
	std::vector<std::unique_ptr<core::Mask>> masks;
	for (const auto &[rule, base] : rules)
		masks.push_back(std::make_unique<core::Mask>(rule, core::needs_key(rule) ? &current_key() : nullptr, base));
	state.in_place = std::move(masks);
	state.masked_in_place.assign(rules.size(), 0);
}
MaskInPlace::~MaskInPlace()
{
	state.in_place.clear();
	state.masked_in_place.clear();
}
std::int64_t MaskInPlace::masked(std::size_t rule) const { return state.masked_in_place.at(rule); }

// mask_in_place(value, drawn from, number of the rule)
PG_FUNCTION(prodsync_mask_in_place)
{
	const auto number = static_cast<std::size_t>(pg::arg_int(fcinfo, 2));
	if (number >= state.in_place.size()) throw pg::Error(PS_REFUSED, "mask_in_place() works while sync_anonymize() does");
	if (!pg::has_arg(fcinfo, 0)) PG_RETURN_NULL();
	++state.masked_in_place[number];
	const std::string value = utf8_arg(fcinfo, 0);
	core::Mask &mask = *state.in_place[number];
	try {
		return datum(fcinfo, pg::has_arg(fcinfo, 1) ? mask(value, utf8_arg(fcinfo, 1)) : mask(value));
	} catch (const core::NoSuchValue &error) {
		throw pg::Error(PS_CHECK, std::string("a rule cannot mask ") + error.what(), {},
		    "Nothing was changed. Another strategy for the column, or the value mended.");
	}
}

// mask_kept(value, drawn from, rule, type): for statements of ours over kept rows. What has the form of a mask already stays as it is, so that the
// next refresh does not mask a mask.
PG_FUNCTION(prodsync_mask_kept)
{
	if (!state.masks_kept) throw pg::Error(PS_REFUSED, "mask_kept() works while a refresh brings kept rows over");
	if (!pg::has_arg(fcinfo, 0)) PG_RETURN_NULL();
	const std::string written = pg::arg_text(fcinfo, 2), base = pg::arg_text(fcinfo, 3), value = utf8_arg(fcinfo, 0), label = base + "\n" + written;
	const core::MaskRule rule = core::MaskRule::from_json(core::json::parse(written));
	if (core::is_masked_form(rule, base, value)) return PG_GETARG_DATUM(0);
	auto mask = state.kept.find(label);
	if (mask == state.kept.end()) {
		std::optional<core::MaskKey> key;
		if (core::needs_key(rule)) {
			if (!key_file || !*key_file) throw pg::Error(PS_PROBLEMS, "prodsync.key_file names no file with a key to mask kept rows with");
			key = key_of_file(key_file);
		}
		mask = state.kept.emplace(label, std::make_unique<core::Mask>(rule, key ? &*key : nullptr, base)).first;
	}
	return datum(fcinfo, pg::has_arg(fcinfo, 1) ? (*mask->second)(value, utf8_arg(fcinfo, 1)) : (*mask->second)(value));
}

// has_masked_form(value, rule, type): for sync_check(). A form is no secret, and the key has nothing to do with it.
PG_FUNCTION(prodsync_has_masked_form)
{
	const std::string written = pg::arg_text(fcinfo, 1);
	auto rule = state.forms.find(written);
	if (rule == state.forms.end()) {
		if (state.forms.size() >= 64) state.forms.clear();
		rule = state.forms.emplace(written, core::MaskRule::from_json(core::json::parse(written))).first;
	}
	PG_RETURN_BOOL(core::is_masked_form(rule->second, pg::arg_text(fcinfo, 2), utf8_arg(fcinfo, 0)));
}

void define_mask_settings()
{
	DefineCustomStringVariable("prodsync.key_file", "File with the masking key for sync_mask().",
	    "64 hex digits; nobody but the server may read it. A refresh uses it for kept rows only (kept_rows: mask).", &key_file, "", PGC_SUSET,
	    GUC_SUPERUSER_ONLY, nullptr, forget_file_key, nullptr);
}

PG_FUNCTION(prodsync_mask)
{
	if (!pg::has_arg(fcinfo, 0)) PG_RETURN_NULL();
	if (!pg::has_arg(fcinfo, 1)) throw pg::Error(ERRCODE_INVALID_PARAMETER_VALUE, "a strategy is needed");
	return masked(fcinfo, pg::arg_text(fcinfo, 1), pg::has_arg(fcinfo, 2) ? pg::arg_text(fcinfo, 2) : "");
}
PG_FUNCTION(prodsync_mask_email) { return masked(fcinfo, "email", ""); }
PG_FUNCTION(prodsync_mask_phone) { return masked(fcinfo, "phone", ""); }
PG_FUNCTION(prodsync_mask_name) { return masked(fcinfo, "name", ""); }
PG_FUNCTION(prodsync_mask_redact) { return masked(fcinfo, "redact", ""); }
PG_FUNCTION(prodsync_mask_hash) { return masked(fcinfo, "hash", "{\"length\": " + std::to_string(pg::arg_int(fcinfo, 1)) + "}"); }

PG_FUNCTION(prodsync_set_key)
{
	std::string why, given = pg::arg_text(fcinfo, 0);
	auto key = core::MaskKey::parse(given, why);
	explicit_bzero(given.data(), given.size());
	if (!key) throw pg::Error(ERRCODE_INVALID_PARAMETER_VALUE, "the masking key " + why, {}, "It is 64 hex digits: openssl rand -hex 32");
	state.masks.clear();
	state.of_session = *key;
	PG_RETURN_VOID();
}

}  // namespace prodsync
