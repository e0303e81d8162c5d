// A name is split into words first: emailAddress and email_address are the same to a person. Then one table says which words, runs of
// words, or stems inside a word (an unquoted emailAddress is emailaddress in the catalog) speak of what. Words that say the column is only about such a value (email_verified_at, phone_count)
// take it out again. In doubt a column is named: strategy: none is one line, a leak is not undone.
#include "personal.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace core {

namespace {

using Words = std::vector<std::string>;

// number: wide enough for a phone or account number; integers are counts and keys.
enum class Kind { text, number, date, address_of_network, token };

struct Signs {
	const char *category;
	std::vector<Words> runs;    // any of these runs of words
	std::vector<const char *> stems;    // or one of these inside a word: useremail, homephone are written without a break
	std::vector<const char *> strategies;
	std::set<Kind> kinds;
};

// The order decides where several fit: email_token is a secret, ip_address no postal one.
const std::vector<Signs> &signs()
{
	static const std::vector<Signs> table{
	    {"secret",
	        {{"password"}, {"passwd"}, {"passphrase"}, {"pwd"}, {"secret"}, {"token"}, {"apikey"}, {"api", "key"}, {"private", "key"},
	            {"access", "key"}, {"auth", "key"}, {"encryption", "key"}, {"credential"}, {"credentials"}, {"otp"}, {"totp"}, {"pin", "code"}, {"pin", "hash"},
	            {"security", "answer"}, {"recovery", "codes"}, {"recovery", "code"}, {"backup", "codes"}, {"jwt"}, {"passwort"}, {"contrasena"}, {"cvv"}, {"cvc"}}, {"passw", "passphrase", "apikey", "secret"},
	        {"hash", "redact"}, {Kind::text, Kind::token}},
	    {"e-mail address", {{"email"}, {"emails"}, {"e", "mail"}, {"mail"}, {"mails"}, {"mailbox"}, {"correo"}, {"courriel"}}, {"email"},
	        {"email", "hash", "redact"}, {Kind::text}},
	    {"phone number",
	        {{"phone"}, {"phones"}, {"phonenumber"}, {"telephone"}, {"tel"}, {"telefon"}, {"telefono"}, {"mobile"}, {"msisdn"}, {"cell"},
	            {"cellphone"}, {"cellular"}, {"fax"}, {"whatsapp"}, {"handy"}, {"sms", "number"}, {"landline"}}, {"phone", "msisdn", "mobilen"},
	        {"phone", "hash", "redact"}, {Kind::text, Kind::number}},
	    {"network address",
	        {{"ip"}, {"ipaddress"}, {"ipv4"}, {"ipv6"}, {"remote", "addr"}, {"remote", "address"}, {"client", "addr"}, {"mac", "address"}, {"macaddr"},
	            {"ip", "addr"}}, {"ipaddr"},
	        {"hash", "redact"}, {Kind::text, Kind::address_of_network}},
	    {"date of birth",
	        {{"birth"}, {"birthday"}, {"birthdate"}, {"dob"}, {"born"}, {"geburtsdatum"}, {"geburtstag"}, {"naissance"}, {"nacimiento"}}, {"birthda", "dateofbirth"},
	        {"redact", "hash"}, {Kind::text, Kind::date}},
	    {"identity document",
	        {{"ssn"}, {"social", "security"}, {"passport"}, {"national", "id"}, {"nationalid"}, {"id", "number"}, {"idnumber"}, {"identity", "number"},
	            {"personal", "number"}, {"tax", "id"}, {"tax", "number"}, {"taxnumber"}, {"taxid"}, {"vat", "number"}, {"vat", "id"}, {"nino"},
	            {"license", "number"}, {"licence", "number"}, {"driver", "license"}, {"driving", "licence"}, {"medicare"}, {"steuernummer"}, {"dni"}, {"nif"},
	            {"cpf"}, {"aadhaar"}}, {"passportn", "nationalid", "idnumber"},
	        {"hash", "redact"}, {Kind::text, Kind::number}},
	    {"account or card",
	        {{"iban"}, {"bic"}, {"swift"}, {"account", "number"}, {"accountnumber"}, {"account", "no"}, {"bank", "account"}, {"sort", "code"}, {"routing", "number"},
	            {"card", "number"}, {"cardnumber"}, {"credit", "card"}, {"pan"}, {"card", "last4"}, {"wallet", "address"}, {"kontonummer"}, {"bsb"}}, {"accountn", "cardnum"},
	        {"hash", "redact"}, {Kind::text, Kind::number}},
	    {"name",
	        {{"first", "name"}, {"firstname"}, {"last", "name"}, {"lastname"}, {"full", "name"}, {"fullname"}, {"middle", "name"}, {"middlename"}, {"given", "name"},
	            {"given", "names"}, {"family", "name"}, {"maiden", "name"}, {"surname"}, {"forename"}, {"nickname"}, {"nick", "name"}, {"display", "name"},
	            {"displayname"}, {"user", "name"}, {"username"}, {"login"}, {"customer", "name"}, {"contact", "name"}, {"contact", "person"},
	            {"person", "name"}, {"holder", "name"}, {"account", "holder"}, {"account", "name"}, {"cardholder"}, {"card", "holder"}, {"recipient", "name"},
	            {"sender", "name"}, {"payee"}, {"payer"}, {"beneficiary", "name"}, {"member", "name"}, {"employee", "name"}, {"patient", "name"}, {"guest", "name"},
	            {"owner", "name"}, {"author", "name"}, {"client", "name"}, {"legal", "name"}, {"kin", "name"}, {"vorname"}, {"nachname"}, {"apellido"}, {"prenom"},
	            {"signatory"}, {"signature"}}, {"firstname", "lastname", "surname", "fullname", "username", "familyname", "givenname"},
	        {"name", "hash", "redact"}, {Kind::text}},
	    {"postal address",
	        {{"address"}, {"addresses"}, {"address1"}, {"address2"}, {"addr"}, {"street"}, {"streetname"}, {"house", "number"}, {"postcode"}, {"post", "code"},
	            {"postal", "code"}, {"postalcode"}, {"zip"}, {"zipcode"}, {"suburb"}, {"strasse"}, {"anschrift"}, {"adresse"}, {"plz"}, {"direccion"}, {"rue"}}, {"address", "postcode", "zipcode", "postalcode"},
	        {"redact", "hash"}, {Kind::text}},
	};
	return table;
}

// The column is about such a value, not the value. What it begins with: is_email, has_phone, count_of_addresses.
const std::set<std::string> about_at_front{"is", "has", "can", "count", "total", "enable", "allow", "require"};
// What it ends with: email_sent, phone_verified_at. (Ids that reference something are numbers; a text email_id is an address.)
const std::set<std::string> about_at_end{"at", "on", "count", "counts", "total", "verified", "verification", "confirmed", "enabled", "disabled",
    "sent", "status", "state", "type", "types", "kind", "template", "subject", "body", "provider", "backend", "category", "limit", "attempts", "opt", "optin",
    "required", "allowed", "expires", "expiry", "expiration", "ttl", "format", "version", "length", "flag", "frequency", "preference",
    "preferences", "priority", "language", "algorithm", "method", "scope", "scopes", "purpose", "country", "domain", "size",
    "date", "time", "timestamp", "hits", "queue", "host", "port", "label", "url", "uri", "path", "file", "module", "class"};

// Whose bare "name" is a person's.
const std::set<std::string> people{"user", "users", "customer", "customers", "contact", "contacts", "person", "persons", "people", "member", "members",
    "employee", "employees", "staff", "patient", "patients", "student", "students", "teacher", "teachers", "guest", "guests", "lead", "leads", "client",
    "clients", "applicant", "applicants", "candidate", "candidates", "beneficiary", "beneficiaries", "recipient", "recipients", "passenger", "passengers",
    "tenant_user", "subscriber", "subscribers", "driver", "drivers", "buyer", "buyers", "seller", "sellers", "visitor", "visitors", "attendee",
    "attendees", "donor", "donors", "author", "authors", "payee", "payees", "friend", "friends", "kunde", "kunden", "cliente", "clientes"};

std::optional<Kind> kind_of(const Column &column)
{
	std::string base = column.base;
	while (base.ends_with("[]")) base.resize(base.size() - 2);
	if (base == "text" || base == "character varying" || base == "character" || base == "varchar" || base == "bpchar" || base == "name" ||
	    base.find('.') != base.npos ||    // composite, hstore, a text type of an extension: in doubt it can hold anything
	    base == "citext" || base == "hstore" || base == "bytea" || base == "json" || base == "jsonb" || base == "xml")
		return Kind::text;
	if (base == "bigint" || base == "numeric") return Kind::number;
	if (base == "uuid") return Kind::token;
	if (base == "date" || base.starts_with("timestamp")) return Kind::date;
	if (base == "inet" || base == "cidr" || base.starts_with("macaddr")) return Kind::address_of_network;
	return std::nullopt;
}

bool has_run(const Words &words, const Words &run)
{
	return std::search(words.begin(), words.end(), run.begin(), run.end()) != words.end();
}

}  // namespace

std::vector<std::string> words_of_name(std::string_view name)
{
	Words words(1);
	const auto upper = [&](std::size_t i) { return i < name.size() && std::isupper(static_cast<unsigned char>(name[i])); };
	const auto lower = [&](std::size_t i) { return i < name.size() && std::islower(static_cast<unsigned char>(name[i])); };
	for (std::size_t i = 0; i < name.size(); ++i) {
		const auto c = static_cast<unsigned char>(name[i]);
		if (!std::isalpha(c) && c < 0x80) {
			words.emplace_back();
			continue;
		}
		// aB begins a word, and so does the last capital of a run: IPAddress is ip, address
		if (i && upper(i) && (lower(i - 1) || (upper(i - 1) && lower(i + 1)))) words.emplace_back();
		words.back() += static_cast<char>(std::tolower(c));
	}
	words.erase(std::remove(words.begin(), words.end(), ""), words.end());
	return words;
}

std::optional<Personal> looks_personal(const Relation &table, const Column &column)
{
	const auto kind = kind_of(column);
	if (!kind) return std::nullopt;
	const Words words = words_of_name(column.name);
	if (words.empty()) return std::nullopt;
	// A network address is one by its type.
	if (*kind == Kind::address_of_network) return Personal{"network address", {}};
	if (words.size() > 1 && (about_at_front.contains(words.front()) || about_at_end.contains(words.back())) && !has_run(words, {"birth", "date"}))
		return std::nullopt;
	for (const Signs &sign : signs()) {
		if (!sign.kinds.contains(*kind)) continue;
		for (const Words &run : sign.runs)
			if (has_run(words, run)) return Personal{sign.category, sign.strategies};
		for (const char *stem : sign.stems)
			for (const std::string &word : words)
				if (word.find(stem) != word.npos) return Personal{sign.category, sign.strategies};
	}
	if (*kind == Kind::text && words == Words{"name"}) {
		const Words of_table = words_of_name(table.name.name);
		if (!of_table.empty() && people.contains(of_table.back())) return Personal{"name", {"name", "hash", "redact"}};
	}
	return std::nullopt;
}

}  // namespace core
