// Detection: what names, types, comments, references and samples say. How good it is altogether: detect_measure_test.cpp.
#include "catch.hpp"
#include "core/covered.hpp"
#include "core/detect.hpp"
#include "fixtures.hpp"

namespace {

using namespace core;

struct Database {
	Catalog catalog;
	Contents contents;

	Relation &table(const std::string &name)
	{
		Relation &one = catalog.relations[fixtures::name(name)];
		one.name = fixtures::name(name);
		return one;
	}
	Database &column(const std::string &of, const std::string &name, const std::string &type = "text", const std::string &comment = "")
	{
		Column one;
		one.name = name;
		one.type = one.base = type;
		one.comment = comment;
		table(of).columns.push_back(one);
		return *this;
	}
	// Each value once, unless said otherwise.
	Database &values(const std::string &of, const std::string &name, const std::vector<std::string> &list)
	{
		for (const auto &value : list) add_sample(contents[fixtures::name(of)], table(of), {name}, {value});
		return *this;
	}
	Personal operator()(const std::string &of, const std::string &name, double least = flagged) const
	{
		const auto found = find_personal(catalog, contents, least);
		const auto at = found.find(fixtures::name(of));
		if (at == found.end() || !at->second.contains(name)) return {};
		return at->second.at(name);
	}
	std::string category(const std::string &of, const std::string &name) const
	{
		const auto found = (*this)(of, name);
		return found.confidence > 0 ? shown(found.category) : "";
	}
};

std::vector<std::string> repeated(const std::string &value, int times, std::vector<std::string> with = {})
{
	for (int i = 0; i < times; ++i) with.push_back(value + std::to_string(i));
	return with;
}

// What samples alone make of a column whose name says nothing.
std::string inside(const std::vector<std::string> &list, const std::string &type = "text")
{
	return Database().column("things", "value", type).values("things", "value", list).category("things", "value");
}

}  // namespace

TEST_CASE("what a column's name says")
{
	const auto category = [](const char *column, const char *type = "text", const char *table = "products") {
		return Database().column(table, column, type).category(table, column);
	};
	for (const char *column : {"email", "Email", "emailAddress", "billing_email", "e_mail", "EMAIL2", "contactEmail", "correo"})
		CHECK(category(column) == "e-mail address");
	for (const char *column : {"phone", "phoneNumber", "mobile", "msisdn", "home_tel", "fax"}) CHECK(category(column) == "phone number");
	for (const char *column : {"first_name", "lastName", "fullname", "surname", "account_holder", "username"}) CHECK(category(column) == "name");
	CHECK(category("password") == "password");
	for (const char *column : {"api_key", "refreshToken", "client_secret", "cvv"}) CHECK(category(column) == "secret");
	for (const char *column : {"street", "address_line_1", "postcode", "zipCode"}) CHECK(category(column) == "postal address");
	for (const char *column : {"iban", "accountNumber", "card_number"}) CHECK(category(column) == "account or card");
	for (const char *column : {"national_id", "idNumber", "passport_no", "tax_id"}) CHECK(category(column) == "identity document");
	CHECK(category("date_of_birth", "date") == "date of birth");
	CHECK(category("birth_date", "date") == "date of birth");
	CHECK(category("ip_address") == "network address");
	CHECK(category("seen_from", "inet") == "network address");
	CHECK(category("name", "text", "apps_customers_customer") == "name");
	for (const char *column : {"name", "email_verified_at", "email_sent", "phone_count", "file_name", "schema_name", "codename", "password_changed_at",
	         "token_type", "email_template", "description", "title", "is_email"})
		CHECK(category(column).empty());
	for (const char *column : {"useremail", "emailaddress", "email_id", "contact_email_address2"}) CHECK(category(column) == "e-mail address");
	for (const char *column : {"homephone", "mobilenumber", "phoneno"}) CHECK(category(column) == "phone number");
	CHECK(category("last_sign_in_ip") == "network address");
	CHECK(category("last_known_address") == "postal address");
	CHECK(category("address", "public.address_t") == "postal address");
	CHECK(category("email", "public.citext") == "e-mail address");
	CHECK(category("api_token", "uuid") == "secret");
	CHECK(category("address_id", "uuid").empty());
	CHECK(category("email", "boolean").empty());
	CHECK(category("phone", "bigint") == "phone number");    // no strategy fits, all the more it has to be looked at
	CHECK(category("phone", "integer").empty());
	CHECK(category("token", "bigint").empty());
	CHECK(words_of_name("IPAddressOfHTTPServer2_x") == std::vector<std::string>{"ip", "address", "of", "http", "server", "x"});
}

TEST_CASE("names in other languages, with their accents and without")
{
	const auto category = [](const char *column, const char *type = "text") { return Database().column("t", column, type).category("t", column); };
	for (const char *column : {"Passwort", "mot_de_passe", "contraseña", "senha", "wachtwoord", "kennwort_hash"}) CHECK(category(column) == "password");
	for (const char *column : {"courriel", "correo_electronico", "emailadresse", "posta_elettronica"}) CHECK(category(column) == "e-mail address");
	for (const char *column : {"Telefonnummer", "téléphone", "telefono_movil", "telemóvel", "cellulare", "telefoonnummer", "handynr_mobil"}) CHECK(category(column) == "phone number");
	for (const char *column : {"vorname", "Nachname", "prénom", "nom_de_famille", "apellidos", "sobrenome", "cognome", "voornaam", "achternaam", "kontoinhaber"}) CHECK(category(column) == "name");
	for (const char *column : {"Straße", "hausnummer", "PLZ", "adresse", "code_postal", "dirección", "morada", "indirizzo", "huisnummer"}) CHECK(category(column) == "postal address");
	for (const char *column : {"steuernummer", "numero_secu", "dni", "cpf", "codice_fiscale", "bsn"}) CHECK(category(column) == "identity document");
	for (const char *column : {"kontonummer", "numero_compte", "numero_cuenta", "rekeningnummer", "kreditkarte"}) CHECK(category(column) == "account or card");
	for (const char *column : {"geburtsdatum", "date_naissance", "fecha_nacimiento", "data_nascimento", "data_nascita", "geboortedatum"}) CHECK(category(column, "date") == "date of birth");
	for (const char *column : {"fname", "lname", "pwd", "dob", "addr1", "acct_no", "tel", "mob_no", "cc_num"}) CHECK_FALSE(category(column).empty());
	for (const char *column : {"float_account_number", "ledger_account_name", "bank_name", "branch_code", "file_name_pattern", "tax_name", "telefon_typ", "name", "port", "ort", "notes"}) {
		INFO(column);
		CHECK(category(column).empty());
	}
}

TEST_CASE("forms of values, by their check digits where they have them")
{
	for (const char *good : {"alice@example.com", "a.b+c@mail.example.co.uk", "o'brien@example.org", "jörg@example.de"}) CHECK(is_email_address(good));
	for (const char *bad : {"@example.com", "alice@", "alice@localhost", "a@b@c.de", "x@1.2", "see alice@example.com"}) CHECK_FALSE(is_email_address(bad));
	CHECK(is_iban("DE89370400440532013000"));
	CHECK(is_iban("GB29 NWBK 6016 1331 9268 19"));
	CHECK_FALSE(is_iban("DE89370400440532013001"));
	CHECK(is_card_number("4111 1111 1111 1111"));
	CHECK(is_card_number("378282246310005"));
	CHECK_FALSE(is_card_number("4111111111111112"));
	CHECK_FALSE(is_card_number("0000000000000000"));
	for (const char *good : {"8001015009087", "12345678Z", "X1234567L", "RSSMRA85T10A562S", "111222333", "529.982.247-25", "123-45-6789", "AB123456C", "255081416802538"}) {
		INFO(good);
		CHECK(is_national_id(good));
	}
	for (const char *bad : {"8001015009088", "12345678A", "RSSMRA85T10A562T", "111222334", "529.982.247-26", "000-45-6789", "255081416802539"}) {
		INFO(bad);
		CHECK_FALSE(is_national_id(bad));
	}
	for (const char *good : {"192.168.0.1", "10.0.0.0/8", "2001:db8::1", "::1", "fe80:0:0:0:1:2:3:4"}) CHECK(is_ip_address(good));
	for (const char *bad : {"256.1.1.1", "1.2.3", "12:30:45", "::", "1:2:3"}) CHECK_FALSE(is_ip_address(bad));
	CHECK(is_mac_address("00:1a:2B:3c:4d:5e"));
	CHECK_FALSE(is_mac_address("00:1a:2B:3c-4d:5e"));
	CHECK(is_token("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"));
	CHECK_FALSE(is_token("123e4567-e89b-12d3-a456-426614174000"));    // a uuid
	CHECK_FALSE(is_token("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa11111111"));
	CHECK_FALSE(is_token("the_name_of_some_very_long_setting_in_words"));
	CHECK(form_of("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln") == Form::jwt);
	CHECK(form_of("-----BEGIN RSA PRIVATE KEY-----\nMII") == Form::private_key);
	CHECK(form_of("$2b$12$abcdefghijklmnopqrstuv") == Form::password_hash);
	CHECK(form_of("+49 171 1234567") == Form::phone);
	CHECK(form_of("(02) 9555 1234") == Form::phone_local);
	CHECK(form_of("2024-01-31") == Form::none);
	CHECK(form_of("Björn van der Merwe") == Form::full_name);
	CHECK(form_of("Nguyễn Thị Linh") != Form::none);
	CHECK(form_of("12 High Street") == Form::address);
	CHECK(form_of("Hauptstraße 5") == Form::address);
	CHECK(form_of("please write to bob@example.com soon") == Form::text_email);
	CHECK(form_of("call me at +44 20 7946 0958 please") == Form::text_phone);
	CHECK(form_of("Spoke with Maria Garcia about the order") == Form::text_name);
	CHECK(form_of("Electricity Payment 200") == Form::none);
	CHECK(form_of("") == Form::none);
	CHECK(form_of("\xff\xfe@\xc3") == Form::none);    // no UTF-8 at all
}

TEST_CASE("what samples alone say of a column")
{
	CHECK(inside({"alice@example.com", "bob@example.com"}) == "e-mail address");
	CHECK(inside(repeated("text ", 200, {"alice@example.com"})) == "e-mail address");    // one is enough
	CHECK(inside({"+4917112345678", "+27600620844"}) == "phone number");
	CHECK(inside({"DE89370400440532013000"}) == "account or card");
	CHECK(inside({"4111111111111111", "5500005555555559", "4012888888881881"}) == "account or card");
	CHECK(inside({"8001015009087", "8001015009087"}).empty());    // one number of which the check digit happens to be right
	CHECK(inside({"10.1.2.3", "10.1.2.4"}) == "network address");
	CHECK(inside({"Anna Müller", "Sipho Nkosi", "Thandiwe Zwane", "James O'Brien"}) == "name");
	CHECK(inside({"Garcia", "Miller", "Novak", "Nkosi", "Tanaka", "Dubois"}) == "name");
	CHECK(inside({"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"}) == "secret");
	CHECK(inside(repeated("note ", 50, {"ring bob@example.com back"})) == "personal data in text");
	CHECK(inside({"{bob@example.com,NULL,\"x y\"}"}, "text[]") == "e-mail address");
	// what is none
	CHECK(inside({"Electricity", "Water", "Gas", "Rates", "Parking"}).empty());
	CHECK(inside({"2024-01-01", "2024-01-02", "2024-01-03"}).empty());
	CHECK(inside({"123e4567-e89b-12d3-a456-426614174000"}).empty());
	CHECK(inside(repeated("10000", 20)).empty());
	CHECK(inside({"", "", ""}).empty());
	// numbers of a table about people, in a column with a name that could be anything
	for (const auto &[table, category] : {std::pair{"contacts", "account or card"}, {"parcels", ""}})
		CHECK(Database().column(table, "identifier").values(table, "identifier", repeated("5210957514", 10)).category(table, "identifier") == category);
}

TEST_CASE("M10: JSON is told leaf by leaf, also where it is cut off")
{
	Database db;
	db.column("orders", "data", "jsonb").column("orders", "old", "json").column("orders", "plain", "jsonb");
	db.values("orders", "data", {R"({"contacts": [{"email": "a@example.com", "kind": "x"}, {"email": "b@example.com"}], "total": 12})",
	                                R"({"contacts": [{"email": "c@example.com"}], "phone": "0171 2345678"})", R"({"contacts": [{"email": "d@example.com", "name)"});
	const auto found = db("orders", "data");
	CHECK(std::string(shown(found.category)) == "personal data in JSON");
	REQUIRE(found.leaves.size() == 2);
	CHECK(found.leaves[0].path == "$.contacts[*].email");
	CHECK(found.leaves[0].evidence == "4 of 4 values are e-mail addresses");
	CHECK(found.leaves[1].path == "$.phone");
	CHECK(found.evidence == "$.contacts[*].email (e-mail address), $.phone (phone number)");
	// keys that are data themselves are neither shown nor overlooked
	const auto keyed = db.values("orders", "old", {R"({"alice@example.com": {"Anna Miller": 1}, "anna": {"x": "y@example.com"}})"})("orders", "old");
	CHECK(keyed.confidence >= flagged);
	for (const char *value : {"alice", "Anna", "anna", "Miller", "y@"}) CHECK(keyed.evidence.find(value) == std::string::npos);
	CHECK(db.values("orders", "plain", {R"({"total": 12, "currency": "EUR", "lines": [1, 2, 3]})"}).category("orders", "plain").empty());
	// a document in a column of text
	CHECK(db.column("orders", "payload").values("orders", "payload", {R"({"to": "a@example.com"})"}).category("orders", "payload") == "personal data in text");
	// deep, wide and broken ones end
	std::string deep(5000, '['), wide = "{";
	for (int i = 0; i < 3000; ++i) wide += (i ? ",\"k" : "\"k") + std::to_string(i) + "x\": \"some text\"";
	CHECK(db.values("orders", "plain", {deep, wide + "}", "{\"a\": tru", "nonsense"}).category("orders", "plain").empty());
}

TEST_CASE("an hstore is told key by key, also where it is cut off")
{
	Database db;
	db.column("t", "x", "public.hstore").values("t", "x", {R"("mail"=>"a@example.com", "kind"=>"b", "telefon"=>"+4917112345678")",
	    R"("mail"=>NULL, "kind"=>"c@exam)", R"("bob@example.com"=>NULL)"});
	const auto found = db("t", "x");
	std::string paths;
	for (const auto &leaf : found.leaves) paths += leaf.path + " ";
	CHECK(paths == "$ (keys) $.mail $.telefon ");
	CHECK(db.column("t", "y", "hstore").values("t", "y", {R"("kind"=>"b", "size"=>"12")"}).category("t", "y").empty());
}

TEST_CASE("C6: what a rule for parts has decided about")
{
	const auto decided = [](std::vector<std::pair<const char *, const char *>> parts, const char *leaf) {
		MaskRule rule{MaskRule::by_path, "", json::object()};
		for (const auto &[path, strategy] : parts) rule.inside.push_back({strategy, "", json::object(), "", "", path, {}});
		return covers(rule, {leaf, Category::email, ""});
	};
	CHECK(decided({{"$.a", "email"}}, "$.a"));
	CHECK(decided({{"$", "redact"}}, "$.a.b"));
	CHECK_FALSE(decided({{"$.a", "email"}}, "$.b"));
	// names of members: masking what they name leaves them as they are
	CHECK_FALSE(decided({{"$", "redact"}}, "$ (keys)"));
	CHECK_FALSE(decided({{"$.a", "redact"}, {"$.*", "hash"}}, "$.a (keys)"));
	CHECK(decided({{"$.*", "redact"}, {"$", "none"}}, "$ (keys)"));
	CHECK(decided({{"$", "redact"}, {"$.a.*", "none"}}, "$.a (keys)"));
	CHECK_FALSE(decided({{"$.a", "none"}}, "$ (keys)"));
	CHECK_FALSE(decided({{"$.a", "none"}}, "$.b (keys)"));
}

TEST_CASE("comments and references say what a column holds")
{
	Database db;
	db.column("t", "a", "text", "the customer's e-mail").column("t", "b", "text", "PII: do not export").column("t", "c", "text", "no PII in here").column("t", "d", "text", "how the phone got its name, a long story that goes on");
	CHECK(db.category("t", "a") == "e-mail address");
	CHECK(db.category("t", "b") == "personal");
	CHECK(db.category("t", "c").empty());
	CHECK(db.category("t", "d").empty());
	CHECK(db("t", "b").evidence == "its comment");
	db.column("users", "email").column("orders", "placed_by").column("orders", "user_id", "bigint").column("users", "phone", "bigint");
	const auto key = [&](const char *column, const char *referenced) {
		ForeignKey one;
		one.name = std::string("orders_") + column;
		one.child = fixtures::name("orders");
		one.parent = fixtures::name("users");
		one.columns = {column};
		one.referenced = {referenced};
		one.equals = {"="};
		db.catalog.foreign_keys.push_back(one);
	};
	CHECK(db.category("orders", "placed_by").empty());
	key("placed_by", "email");
	key("user_id", "phone");
	CHECK(db.category("orders", "placed_by") == "e-mail address");
	CHECK(db("orders", "placed_by").evidence == "references users.email");
	CHECK(db.category("orders", "user_id").empty());    // a number that leads to a row
}

TEST_CASE("evidence of any kind holds no value")
{
	Database db;
	db.column("t", "x").values("t", "x", {"alice@example.com", "Anna Miller", "+4917112345678", "call anna.miller@example.com"});
	const auto found = db("t", "x");
	CHECK(found.evidence == "1 of 4 samples are e-mail addresses");
	CHECK(found.confidence > 0.8);
}

namespace {

Column text_column(const std::string &name)
{
	Column column;
	column.name = name;
	column.type = column.base = "text";
	return column;
}

}  // namespace

TEST_CASE("the sample's statement is bounded, and the same every time")
{
	auto catalog = fixtures::catalog("shop");
	Relation &table = catalog.relations.at(fixtures::name("users"));
	table.columns.push_back(text_column("email"));
	const auto columns = sampled_columns(table);
	REQUIRE_FALSE(columns.empty());
	const auto sql = [&](const std::vector<std::string> &of) {
		const auto all = sample_statements(catalog, table, of);
		REQUIRE(all.size() == 1);
		return all[0].sql;
	};
	table.pages = 10;
	table.rows = 1000;
	CHECK(sql({"email"}) ==
	    "SELECT CASE WHEN pg_catalog.pg_column_size(t.email) <= 16384 THEN pg_catalog.left(t.email::pg_catalog.text, 300) END FROM ONLY public.users AS t "
	    "WHERE t.ctid < '(1000,0)'::pg_catalog.tid LIMIT 300");
	table.pages = 10000;
	table.rows = 1000000;
	CHECK(sql({"email"}).ends_with("FROM ONLY public.users AS t TABLESAMPLE pg_catalog.system (0.045000) REPEATABLE (1) LIMIT 900"));
	CHECK(sql(std::vector<std::string>(200, "email")).ends_with("LIMIT 180"));
	// pages that are mostly empty
	table.rows = 20000;
	CHECK(sql({"email"}).ends_with("TABLESAMPLE pg_catalog.system (2.250000) REPEATABLE (1) LIMIT 900"));
	table.rows = 100;
	CHECK(sql({"email"}).ends_with("FROM ONLY public.users AS t ORDER BY t.id DESC LIMIT 300"));
	table.indexes.clear();
	CHECK(sql({"email"}).ends_with("TABLESAMPLE pg_catalog.system (10.000000) REPEATABLE (1) LIMIT 900"));
	// nobody has counted
	table.rows = -1;
	table.pages = 0;
	CHECK(sql({"email"}).ends_with("WHERE t.ctid < '(1000,0)'::pg_catalog.tid LIMIT 300"));
	for (const Column &column : table.columns)
		if (column.base == "bigint" || column.base == "boolean") CHECK(std::find(columns.begin(), columns.end(), column.name) == columns.end());
}

TEST_CASE("D10: a sample calls no cast that is somebody's")
{
	auto catalog = fixtures::catalog("shop");
	Relation &table = catalog.relations.at(fixtures::name("users"));
	table.columns.push_back(text_column("email"));
	table.columns.back().base = "own.citext";
	CHECK(sample_statements(catalog, table, {"email"})[0].sql.find("pg_catalog.format('%s', t.email)") != std::string::npos);
}

TEST_CASE("of a partitioned table some leaves are sampled, one at a time")
{
	Catalog catalog;
	const auto add = [&](const std::string &name, char kind, double rows) -> Relation & {
		Relation &one = catalog.relations[fixtures::name(name)];
		one.name = fixtures::name(name);
		one.kind = kind;
		one.rows = rows;
		one.columns.push_back(text_column("who"));
		if (kind == 'r') one.partition = true, one.parents = {fixtures::name("log")};
		return one;
	};
	Relation &root = add("log", 'p', -1);
	for (int i = 0; i < 100; ++i) add("log_" + std::to_string(100 + i), 'r', i < 90 ? 10 : 0);
	auto all = sample_statements(catalog, root, {"who"});
	REQUIRE(all.size() == 20);
	CHECK(all[0].relation.name == "log_100");
	CHECK(all[19].relation.name == "log_189");
	CHECK(all[0].sql.ends_with("FROM ONLY public.log_100 AS t WHERE t.ctid < '(1000,0)'::pg_catalog.tid LIMIT 15"));
	for (auto &[name, one] : catalog.relations) one.rows = one.kind == 'r' && name.name > "log_197" ? 5 : 0;
	all = sample_statements(catalog, root, {"who"});
	REQUIRE(all.size() == 20);
	CHECK(all[0].relation.name == "log_198");
	CHECK(all[1].relation.name == "log_199");
	// only the root may be read
	for (auto &[name, one] : catalog.relations) one.readable = one.kind == 'p';
	all = sample_statements(catalog, root, {"who"});
	REQUIRE(all.size() == 1);
	CHECK(all[0].sql.ends_with("FROM public.log AS t LIMIT 300"));
}

TEST_CASE("D8: keys of documents that are data are never shown, keys with blanks are quoted")
{
	const auto evidence = [](const std::vector<std::string> &documents) {
		Database db;
		db.column("t", "x", "jsonb").values("t", "x", documents);
		const auto found = db("t", "x", 0.01);
		std::string out = found.evidence;
		for (const auto &leaf : found.leaves) out += " | " + leaf.path;
		return out;
	};
	std::vector<std::string> forms;
	for (int i = 0; i < 6; ++i) forms.push_back(R"({"E-Mail Adresse": "a)" + std::to_string(i) + R"(@x.example", "Notiz 1": "x"})");
	CHECK(evidence(forms).ends_with(" | $['E-Mail Adresse']"));
	// one that speaks of nothing, in every object
	forms.clear();
	for (int i = 0; i < 6; ++i) forms.push_back(R"({"An wen": "a)" + std::to_string(i) + R"(@x.example"})");
	CHECK(evidence(forms).ends_with(" | $['An wen']"));
	// maps: by address, by number, by name, by what no list of names knows
	for (const std::string key : {"zq5%@leak.example", "4917112345%", "Anna Zq5%", "zq5raw person %"}) {
		std::vector<std::string> maps;
		for (int i = 100; i < 120; ++i) {
			std::string one = key;
			one.replace(one.find('%'), 1, std::to_string(i));
			maps.push_back("{\"" + one + "\": {\"mail\": \"a" + std::to_string(i) + "@x.example\"}}");
		}
		const auto shown = evidence(maps);
		INFO(key + ": " + shown);
		CHECK(shown.find("$.*.mail") != std::string::npos);
		CHECK(shown.find("zq5") == std::string::npos);
		CHECK(shown.find("Anna") == std::string::npos);
	}
	// plain words, each in one document only
	std::vector<std::string> plain;
	for (int i = 0; i < 20; ++i) plain.push_back("{\"zq" + std::string(1, static_cast<char>('a' + i)) + "wort\": \"a" + std::to_string(i) + "@x.example\"}");
	CHECK(evidence(plain).find("zq") == std::string::npos);
	// user names, again and again
	std::vector<std::string> users;
	for (int i = 0; i < 300; ++i) {
		const int user = i * 7 % 40;
		const std::string name{'z', 'q', static_cast<char>('a' + user / 20), static_cast<char>('a' + user % 20)};
		users.push_back("{\"kind\": \"order\", \"" + name + "\": \"a" + std::to_string(i) + "@x.example\"}");
	}
	INFO(evidence(users));
	CHECK(evidence(users).find("zq") == std::string::npos);
	CHECK(evidence(users).find("$.*") != std::string::npos);
}

TEST_CASE("D10: numbers are somebody's by their name and their length")
{
	std::vector<std::string> long_ones, short_ones;
	for (int i = 0; i < 30; ++i) long_ones.push_back(std::to_string(711234500 + 7 * i)), short_ones.push_back(std::to_string(i));
	for (const std::string type : {"bigint", "numeric", "integer"}) {
		INFO(type);
		CHECK(Database().column("t", "phone", type).values("t", "phone", long_ones).category("t", "phone") == "phone number");
		CHECK(Database().column("t", "quantity", type).values("t", "quantity", long_ones).category("t", "quantity") == "");
		CHECK(Database().column("t", "national_id", type).values("t", "national_id", long_ones).category("t", "national_id") == "identity document");
	}
	CHECK(Database().column("t", "phone", "bigint").category("t", "phone") == "phone number");
	CHECK(Database().column("t", "phone", "integer").category("t", "phone") == "");
	CHECK(Database().column("t", "phone", "integer").values("t", "phone", short_ones).category("t", "phone") == "");
	CHECK(Database().column("t", "phone", "smallint").category("t", "phone") == "");
	Database db;
	db.column("t", "id", "bigint").column("t", "phone", "integer").column("t", "count", "integer");
	CHECK(sampled_columns(db.table("t")) == std::vector<std::string>{"phone"});
}
