#include "detect_content.hpp"

#include <algorithm>
#include <functional>

#include "mask_elements.hpp"
#include "masks.hpp"
#include "person_names.hpp"

namespace core {

namespace {

constexpr std::size_t most_paths = 200, most_depth = 24, most_different = 16, most_leaves = 400;

// How sure a form makes, where more than half, more than a tenth, or any of the values have it. 0: says nothing.
struct Rule {
	Form form;
	Category category;
	double most, some, any;
	double share;               // what "most" means
	std::int64_t different;     // so many different values at least
	const char *of_many;        // "98 of 100 samples are e-mail addresses"
};

const std::vector<Rule> &rules()
{
	static const std::vector<Rule> table{
	    {Form::private_key, Category::secret, .97, .95, .9, .5, 1, "are private keys"},
	    {Form::jwt, Category::secret, .97, .95, .9, .5, 1, "are JSON web tokens"},
	    {Form::api_key, Category::secret, .97, .95, .9, .5, 1, "are API keys"},
	    {Form::password_hash, Category::password, .97, .95, .9, .5, 1, "are hashes of passwords"},
	    {Form::email, Category::email, .97, .85, .6, .5, 1, "are e-mail addresses"},
	    {Form::iban, Category::iban, .97, .9, .7, .5, 1, "are IBANs with their check digits"},
	    {Form::phone, Category::phone, .95, .8, .5, .5, 1, "are phone numbers"},
	    {Form::mac, Category::device, .9, .7, 0, .5, 1, "are MAC addresses"},
	    {Form::ip, Category::network, .9, .7, 0, .5, 1, "are IP addresses"},
	    {Form::card, Category::card, .9, 0, 0, .4, 3, "are card numbers with their check digit"},
	    {Form::national_id, Category::document, .85, 0, 0, .7, 4, "are national numbers with their check digits"},
	    {Form::full_name, Category::full_name, .85, 0, 0, .4, 3, "are names of people"},
	    {Form::address, Category::address, .85, .6, 0, .4, 2, "are addresses"},
	    {Form::first_name, Category::first_name, .75, 0, 0, .5, 5, "are first names"},
	    {Form::last_name, Category::last_name, .75, 0, 0, .45, 5, "are last names"},
	    {Form::phone_local, Category::phone, .65, 0, 0, .6, 3, "are phone numbers"},
	    {Form::text_email, Category::text, .75, .75, .7, .5, 1, "have e-mail addresses in their text"},
	    {Form::text_phone, Category::text, .7, .7, .6, .5, 1, "have phone numbers in their text"},
	    {Form::text_name, Category::text, .7, .6, 0, .4, 3, "have names in their text"},
	    {Form::token, Category::secret, .55, 0, 0, .7, 3, "are long and random"},
	    {Form::digits, Category::account, .25, 0, 0, .8, 5, "are numbers of 7 to 20 digits"},
	};
	return table;
}

constexpr char before_key = '\x1f';    // in places: what no key has that could be a name
constexpr std::size_t most_keys = 64, few_keys = 12;

bool of_a_name(char c)
{
	const bool ascii = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
	return ascii || static_cast<unsigned char>(c) >= 0x80;
}

bool is_plain_key(std::string_view key)
{
	return std::all_of(key.begin(), key.end(), of_a_name);
}

}  // namespace

// A document that is keyed by e-mail addresses or numbers shows none of them.
bool can_be_name(std::string_view key)
{
	if (key.empty() || key.size() > 40 || (key[0] >= '0' && key[0] <= '9') || key.front() == ' ' || key.back() == ' ') return false;
	int figures = 0;
	for (const char c : key) {
		if (!of_a_name(c) && c != ' ' && c != '.' && c != '/') return false;
		figures += c >= '0' && c <= '9';
	}
	if (figures > 3 || form_of(key) != Form::none || is_first_name(plain_letters(key))) return false;
	for (std::size_t at = 0; at <= key.size();) {    // Anna.Miller, smith/anna
		const auto end = std::min(key.find_first_of(" ./-_", at), key.size());
		if (end - at < key.size() && is_first_name(plain_letters(key.substr(at, end - at)))) return false;
		at = end + 1;
	}
	return true;
}

ColumnContent::Shape ColumnContent::shape_of(const Column &column)
{
	if (column.base.ends_with("[]")) return Shape::array;
	return has_parts(column.base) ? Shape::document : Shape::text;
}

void ColumnContent::Counts::add(std::string_view value)
{
	++values;
	++of[static_cast<std::size_t>(form_of(value))];
	if (different.size() < most_different) different.insert(std::hash<std::string_view>{}(value));
}

// The leaves of a document as it is read: one that was cut off tells what comes before.
struct ColumnContent::Leaves : nlohmann::json_sax<json> {
	ColumnContent &to;
	struct Level {
		std::size_t path;    // length of the path that leads here
		bool array;
		std::string key;
	};
	std::vector<Level> levels;
	std::string path = "$";
	std::size_t seen = 0;

	explicit Leaves(ColumnContent &column) : to(column) {}

	bool enter(bool array)
	{
		if (levels.size() >= most_depth) return false;
		const auto before = path.size();
		step();
		levels.push_back({before, array, {}});
		return true;
	}
	void step()
	{
		if (levels.empty()) return;
		if (levels.back().array) path += "[*]";
		else (path += before_key) += levels.back().key;
	}
	bool leave()
	{
		path.resize(levels.back().path);
		levels.pop_back();
		return true;
	}
	bool leaf(std::string_view value, Kind kind)
	{
		if (++seen > most_leaves) return false;
		const auto before = path.size();
		step();
		// Paths that no bound holds (keys made of data): the rest is counted together.
		const auto known = to.paths_.find(path);
		const auto at = known != to.paths_.end()
		    ? known
		    : to.paths_.try_emplace(to.paths_.size() < most_paths ? path : std::string("$") + before_key + "*").first;
		if (value.size() > 1) {
			at->second.add(value);
			for (auto level = levels.rbegin(); level != levels.rend(); ++level) {
				if (level->array) continue;    // ["a@b.c"] under emails
				if (at->second.values == 1 && level->key != "*")
					if (const auto sign = sign_of_name(words_of_name(level->key), kind); sign && sign->confidence >= 0.5)
						to.keys_.emplace(at->first, sign->category);
				break;
			}
		}
		path.resize(before);
		return true;
	}

	bool key(string_t &given) override
	{
		levels.back().key = can_be_name(given) ? given : "*";
		if (const auto members = to.members_.find(path); members != to.members_.end()) {
			auto &keys = members->second.keys;
			if (keys.size() < most_keys || keys.contains(levels.back().key)) ++keys[levels.back().key];
		}
		if (given.size() > 1 && levels.back().key == "*") {
			auto &counts = to.paths_.try_emplace(to.paths_.size() < most_paths ? path + " (keys)" : "$ (keys)").first->second;
			counts.add(given);
		}
		return true;
	}
	bool string(string_t &value) override { return leaf(value, Kind::text); }
	bool number_integer(number_integer_t value) override { return leaf(std::to_string(value), Kind::number); }
	bool number_unsigned(number_unsigned_t value) override { return leaf(std::to_string(value), Kind::number); }
	bool number_float(number_float_t, const string_t &) override { return true; }
	bool null() override { return true; }
	bool boolean(bool) override { return true; }
	bool binary(binary_t &) override { return true; }
	bool start_object(std::size_t) override
	{
		if (!enter(false)) return false;
		if (to.members_.size() < most_paths || to.members_.contains(path)) ++to.members_[path].objects;
		return true;
	}
	bool end_object() override { return leave(); }
	bool start_array(std::size_t) override { return enter(true); }
	bool end_array() override { return leave(); }
	bool parse_error(std::size_t, const std::string &, const nlohmann::detail::exception &) override { return false; }
};

void ColumnContent::add_json(std::string_view value)
{
	Leaves leaves(*this);
	if (value.front() != '"' || value.find("\"=>") == value.npos) {
		(void)json::sax_parse(value, &leaves);
		return;
	}
	// An hstore: one object of texts. Of one that was cut off, too, what comes before.
	std::string text;
	leaves.start_object(0);
	(void)read_hstore(value, [&](std::string_view key, std::optional<std::string_view> one) {
		leaves.key(text = key);
		if (one) leaves.string(text = *one);
	});
}

void ColumnContent::add(std::string_view value)
{
	if (value.empty()) return;
	++samples_;
	if (shape_ == Shape::document) return add_json(value);
	if (shape_ == Shape::array && value.front() == '{') {
		// {a@b.c,"Jane Doe",NULL}; what is escaped inside of quotes does not matter here
		std::string element;
		bool quoted = false;
		for (std::size_t i = 1; i < value.size(); ++i) {
			const char c = value[i];
			if (c == '\\' && i + 1 < value.size()) element += value[++i];
			else if (c == '"') quoted = !quoted;
			else if (!quoted && (c == ',' || c == '}' || c == '{')) {
				if (!element.empty() && element != "NULL") whole_.add(element);
				element.clear();
			} else
				element += c;
		}
		if (!element.empty()) whole_.add(element);    // cut off
		return;
	}
	// A document in a column of text is a document all the same.
	if ((value.front() == '{' || value.front() == '[') && value.find('"') != value.npos) return add_json(value);
	whole_.add(value);
}

void ColumnContent::judge(const Counts &counts, const std::string &path, std::vector<ContentSign> &out)
{
	if (!counts.values) return;
	const auto of = [&](Form form) { return counts.of[static_cast<std::size_t>(form)]; };
	const auto all = static_cast<double>(counts.values);
	// First and last names share many words: what is neither mostly one nor the other is a name all the same.
	const std::int64_t names = of(Form::first_name) + of(Form::last_name) + of(Form::full_name);
	std::optional<ContentSign> best;
	for (const Rule &rule : rules()) {
		const std::int64_t here = of(rule.form);
		if (!here) continue;
		const bool a_name = rule.form == Form::first_name || rule.form == Form::last_name;
		const std::int64_t counted_here = a_name && here >= of(rule.form == Form::first_name ? Form::last_name : Form::first_name) ? names : here;
		const double share = static_cast<double>(counted_here) / all;
		if (static_cast<std::int64_t>(counts.different.size()) < rule.different) continue;
		const double confidence = share >= rule.share ? rule.most : share >= 0.1 ? rule.some : rule.any;
		if (confidence <= 0 || (best && best->confidence >= confidence)) continue;
		best = ContentSign{rule.category, confidence,
		    std::to_string(counted_here) + " of " + std::to_string(counts.values) + (path.empty() ? " samples " : " values ") + rule.of_many, path};
	}
	if (best) out.push_back(std::move(*best));
}

void ColumnContent::Counts::add(const Counts &other)
{
	values += other.values;
	for (std::size_t i = 0; i < of.size(); ++i) of[i] += other.of[i];
	for (const std::size_t one : other.different)
		if (different.size() < most_different) different.insert(one);
}

// Whether the key of the objects there is the name of something. In an object that is used as a map (many keys, each in few of the objects, however often
// they come again: user names) only one that says what it holds is; one with blanks or dots in it, too, only where most of the objects have it.
bool ColumnContent::is_name(const std::string &place, const std::string &key) const
{
	if (key == "*") return false;
	const auto found = members_.find(place);
	if (found == members_.end()) return false;
	const Members &members = found->second;
	const auto count = members.keys.find(key);
	if (count == members.keys.end()) return false;
	for (const Kind kind : {Kind::text, Kind::number, Kind::date})
		if (const auto sign = sign_of_name(words_of_name(key), kind); sign && sign->confidence >= 0.5) return true;
	if (members.objects > 2 && members.keys.size() > few_keys && 10 * count->second < members.objects) return false;
	if (members.objects > 2 && members.keys.size() > few_keys && count->second < 2) return false;
	return is_plain_key(key) || 2 * count->second >= std::max<std::int64_t>(members.objects, 4);
}

// $.contacts[*].email, $['home address'].*
std::string ColumnContent::shown_path(const std::string &place) const
{
	std::string out;
	for (std::size_t at = 0; at < place.size();) {
		const auto key = place.find(before_key, at);
		out += place.substr(at, key - at);
		if (key == place.npos) break;
		at = key + 1;
		const auto end = std::min({place.find(before_key, at), place.find('[', at), place.find(" (keys)", at), place.size()});
		const std::string name = place.substr(at, end - at);
		if (!is_name(place.substr(0, key), name)) out += ".*";
		else if (is_plain_key(name)) out += "." + name;
		else out += "['" + name + "']";
		at = end;
	}
	return out;
}

std::vector<ContentSign> ColumnContent::signs() const
{
	std::vector<ContentSign> out;
	judge(whole_, "", out);
	std::map<std::string, Counts> paths;
	std::map<std::string, Category> keys;
	for (const auto &[place, counts] : paths_) {
		const std::string path = shown_path(place);
		paths[path].add(counts);
		if (const auto key = keys_.find(place); key != keys_.end()) keys.emplace(path, key->second);
	}
	for (const auto &[path, counts] : paths) {
		const auto before = out.size();
		judge(counts, path, out);
		const auto key = keys.find(path);
		if (key == keys.end()) continue;
		if (out.size() == before) out.push_back({key->second, 0.75, "the key says so", path});
		else if (out.back().confidence < 0.75) out.back() = {key->second, 0.8, "the key says so, and " + out.back().evidence, path};
	}
	std::stable_sort(out.begin(), out.end(), [](const ContentSign &a, const ContentSign &b) { return a.confidence > b.confidence; });
	return out;
}

}  // namespace core
