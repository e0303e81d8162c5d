// What names say: of columns, of keys in JSON, of the table that a column is in; and what people write in comments.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include "catalog.hpp"

namespace core {

enum class Category {
	password,
	secret,
	email,
	phone,
	network,
	device,
	birth,
	document,
	iban,
	card,
	account,
	first_name,
	last_name,
	full_name,
	username,
	street,
	city,
	postcode,
	address,
	company,
	file,
	text,
	structure,
	marked,
	derived
};

// Whose values a column can hold. number: wide enough for a phone or account number; other integers are counts and keys.
enum class Kind { text, number, date, network, token };
std::optional<Kind> kind_of(const Column &);

struct NameSign {
	Category category;
	double confidence;    // below `flagged`: only together with something else
};

// "billingFirst_name2" -> billing, first, name
std::vector<std::string> words_of_name(std::string_view name);
// nullopt: the name says nothing. Flags, counts, dates of events say so in their names and are none.
std::optional<NameSign> sign_of_name(const std::vector<std::string> &words, Kind);
// Rows of such a table are people, by its name: customers, app_users, patient_details.
bool names_people(std::string_view table);
// Rows of such a table are documents that show people: kyc_documents, id_scans.
bool names_papers(std::string_view table);
// A comment on a column: what it says it holds, or that it is personal at all.
std::optional<NameSign> sign_of_comment(std::string_view comment, Kind);

}  // namespace core
