// Free text. What is found to identify somebody is replaced, and everything else stays as it is, which is what the text is good for and what
// it still gives away: a name in no dictionary, an illness, a place. Who cannot accept that takes form: shape.
//
// Found are, in one pass from left to right: e-mail addresses; runs of six digits and more, with what people write between them (phone,
// card and account numbers, dates); IBANs; words that mix letters and four digits or more (tokens, number plates, other numbers of documents);
// names of the lists, and the word behind a first name, a title or a salutation.
#include "mask_person.hpp"
#include "mask_stream.hpp"

namespace core {

namespace {

bool is_shape_form(const MaskRule &rule) { return rule.text("form") == "shape"; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || is_upper(c) || static_cast<unsigned char>(c) >= 0x80; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }
bool is_local(char c) { return is_word(c) || std::string_view("._%+-").find(c) != std::string_view::npos; }
bool is_host(char c) { return is_word(c) || c == '.' || c == '-'; }

constexpr std::size_t least_run = 6, least_mixed = 4, least_iban = 15, most_iban = 34;

// The e-mail addresses of a text, one after the other.
class Addresses {
	std::string_view text_;
	std::size_t from_ = 0;    // all before it has been looked at

public:
	std::size_t begin = 0, end = 0;    // of the address that was found; at the end of the text: there is none any more
	explicit Addresses(std::string_view text) : text_(text) { next(); }
	std::string_view found() const { return text_.substr(begin, end - begin); }
	bool any() const { return begin < text_.size(); }
	void next()
	{
		for (std::size_t at = text_.find('@', from_); at != text_.npos; at = text_.find('@', from_)) {
			begin = at, end = at + 1;
			// o'brien@: an apostrophe within a word; one before it is a quote
			while (begin > from_ &&
			    (is_local(text_[begin - 1]) ||
			        (text_[begin - 1] == '\'' && begin - 1 > from_ && is_letter(text_[begin]) && is_letter(text_[begin - 2]))))
				--begin;
			while (begin < at && !is_word(text_[begin])) ++begin;
			while (end < text_.size() && is_host(text_[end])) ++end;
			while (end > at + 1 && !is_word(text_[end - 1])) --end;    // a full stop behind it
			const bool is_one = begin < at && end > at + 1;
			from_ = is_one ? end : at + 1;
			if (is_one) return;
		}
		begin = end = text_.size();
	}
};

// The end of a run of digits that begins at `at` with a digit, + or (.
std::size_t run_end(std::string_view text, std::size_t at, std::size_t &digits)
{
	std::size_t end = at;
	digits = 0;
	for (std::size_t i = at, gap = 0; i < text.size() && gap <= 3; ++i) {
		if (is_digit(text[i])) ++digits, end = i + 1, gap = 0;
		else if (std::string_view(" -.()/+:").find(text[i]) != std::string_view::npos) ++gap;
		else break;
	}
	return end;
}

// The end of an IBAN: two capitals, two digits, and groups of letters and digits.
std::size_t iban_end(std::string_view text, std::size_t at)
{
	if (text.size() < at + least_iban || !is_upper(text[at]) || !is_upper(text[at + 1]) || !is_digit(text[at + 2]) ||
	    !is_digit(text[at + 3]))
		return at;
	std::size_t characters = 4, digits = 2, i = at + 4, end = i;
	while (i < text.size() && characters < most_iban) {
		if (text[i] == ' ' && characters % 4 == 0 && i + 1 < text.size() && (is_upper(text[i + 1]) || is_digit(text[i + 1]))) {
			++i;
			continue;
		}
		if (!is_upper(text[i]) && !is_digit(text[i])) break;
		digits += is_digit(text[i]);
		++characters, end = ++i;
	}
	return characters >= least_iban && digits >= 8 ? end : at;
}

bool is_title(std::string_view word)
{
	constexpr std::string_view titles[] = {"Mr", "Mrs", "Ms", "Miss", "Dr", "Prof", "Herr", "Herrn", "Frau", "Sr", "Sra",
	    "Monsieur", "Madame", "Mme", "Signor", "Signora", "Dear", "Liebe", "Lieber"};
	return std::find(std::begin(titles), std::end(titles), word) != std::end(titles);
}

class TextMasker : public Masker {
	MaskSubkey key_;
	bool shape_;

	// What is found is hashed by itself: the same number gets the same mask wherever it stands, an e-mail address the one of the strategy email.
	void write_shape(std::string_view found, std::string &out) const
	{
		MaskStream stream(mask_hash(found, key_), key_, 't');
		append_shape(found, stream, out);
	}
	void write_email(std::string_view found, std::string &out) const
	{
		out += "user_";
		append_hex(mask_hash(found, key_), 16, out);
		out += "@example.com";
	}
	void write_name(std::string_view found, bool last, std::string &out) const
	{
		const Person person(mask_hash(found, key_));
		out += last ? person.last : person.first;
	}
	void write_parts(std::string_view text, std::string &out) const;

public:
	TextMasker(const MaskRule &rule, const MaskSubkey &key) : key_(key), shape_(is_shape_form(rule)) {}
	void write(std::string_view value, Hash hash, std::string &out) override
	{
		if (!shape_) return write_parts(value, out);
		MaskStream stream(hash, key_, 's');
		append_shape(value, stream, out);
	}
};

void TextMasker::write_parts(std::string_view text, std::string &out) const
{
	bool after_name = false, after_title = false;
	Addresses addresses(text);
	for (std::size_t at = 0; at < text.size();) {
		if (at == addresses.begin) {
			write_email(addresses.found(), out);
			at = addresses.end, after_name = after_title = false;
			addresses.next();
			continue;
		}
		const char c = text[at];
		const bool begins = at == 0 || !is_word(text[at - 1]);
		const std::string_view before = text.substr(0, addresses.begin);    // nothing else reaches into an address
		const auto replace = [&](std::size_t end) {
			write_shape(text.substr(at, end - at), out);
			at = end, after_name = after_title = false;
		};
		if (const std::size_t end = begins ? iban_end(before, at) : at; end > at) {
			out += text.substr(at, 2), at += 2;    // the country
			replace(end);
			continue;
		}
		std::size_t digits = 0;
		if (is_digit(c) || c == '+' || c == '(')
			if (const std::size_t end = run_end(before, at, digits); digits >= least_run) {
				replace(end);
				continue;
			}
		if (!is_word(c)) {
			if (c != ' ' && c != '.' && c != '-' && c != '\'') after_name = after_title = false;
			out += c;
			++at;
			continue;
		}
		std::size_t end = at;
		digits = 0;
		bool letters = false;
		while (end < before.size() && is_word(text[end])) digits += is_digit(text[end]), letters = letters || is_letter(text[end]), ++end;
		const std::string_view word = text.substr(at, end - at);
		const bool capital = is_upper(c) || static_cast<unsigned char>(c) >= 0x80;
		// MARTIN is Martin, in capitals; martin is left, with too many words that are no names.
		std::string spelled(word);
		if (word.size() > 2 && std::all_of(word.begin(), word.end(), is_upper))
			std::transform(spelled.begin() + 1, spelled.end(), spelled.begin() + 1, [](char letter) { return static_cast<char>(letter | 0x20); });
		const bool first = is_known_first_name(spelled), last = is_known_last_name(spelled), title = capital && is_title(word);
		if (digits >= least_mixed && (letters || digits >= least_run)) write_shape(word, out);
		else if (first || last || ((after_name || after_title) && capital && !title))
			write_name(word, !first && (after_name || after_title || last), out);
		else out += word;
		after_name = first || (after_title && capital && !title);
		after_title = title;
		at = end;
	}
}

std::unique_ptr<Masker> make_free_text(const MaskRule &rule, const MaskSubkey &key) { return std::make_unique<TextMasker>(rule, key); }

bool is_masked_email(std::string_view text)
{
	return text.size() == 33 && text.starts_with("user_") && text.ends_with("@example.com") && all_hex(text.substr(5, 16));
}

// All that can be told: every e-mail address in it is one of ours.
bool is_free_text(std::string_view value, const MaskRule &rule)
{
	if (is_shape_form(rule)) return is_ascii(value);
	for (Addresses addresses(value); addresses.any(); addresses.next())
		if (!is_masked_email(addresses.found())) return false;
	return true;
}

int free_text_width(const MaskRule &rule) { return is_shape_form(rule) ? as_long_as_the_value : longer_than_the_value; }

std::string free_text_caution(const MaskRule &rule)
{
	return is_shape_form(rule) ? ""
	                           : "keeps its text but for e-mail addresses, numbers and known names: what else it says of "
	                             "somebody stays readable (form: shape keeps nothing)";
}

}  // namespace

std::vector<Strategy> text_strategies()
{
	using Kind = MaskOption::Kind;
	return {{.name = "free_text",
	    .gives = "the text with e-mail addresses, numbers and names replaced",
	    .takes = {ValueKind::text},
	    .keyed = true,
	    .options = {{.name = "form", .kind = Kind::word, .words = {"parts", "shape"}, .otherwise = "\"parts\""}},
	    .width = free_text_width,
	    .distinct = never_distinct,
	    .make = make_free_text,
	    .in_form = is_free_text,
	    .recognizable = false,
	    .subkey = "email",
	    .caution = free_text_caution,
	    .of_the_value = true}};
}

}  // namespace core
