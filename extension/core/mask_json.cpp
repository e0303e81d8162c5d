#include "mask_json.hpp"

#include <map>
#include <nlohmann/json.hpp>

namespace core {

namespace {

// Numbers that no double holds are numbers of PostgreSQL all the same; their digits are what counts here.
using Json = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t, std::uint64_t, long double>;

// A JSON number: no leading zero or plus, a digit on both sides of the point.
bool is_number(std::string_view text)
{
	std::size_t at = 0;
	const auto digits = [&] {
		const std::size_t from = at;
		while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
		return at > from;
	};
	if (at < text.size() && text[at] == '-') ++at;
	const bool zero = at < text.size() && text[at] == '0';
	const std::size_t first = at;
	if (!digits() || (zero && at - first > 1)) return false;
	if (at < text.size() && text[at] == '.') {
		++at;
		if (!digits()) return false;
	}
	if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
		++at;
		if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
		if (!digits()) return false;
	}
	return at == text.size() && !text.empty();
}

class Writer : public nlohmann::json_sax<Json> {
	const std::vector<JsonPath> &paths_;
	const LeafMask &mask_;
	std::string &out_;

	struct Container {
		bool array;
		std::size_t count = 0;
		std::vector<JsonPath::State> here, child;    // by path: of the container, and of the member whose value comes
	};
	std::vector<Container> open_;

	// Before each value: the comma, and which beginnings of the paths lead here.
	std::vector<JsonPath::State> begin_value()
	{
		std::vector<JsonPath::State> states;
		if (open_.empty()) {
			for (const JsonPath &path : paths_) states.push_back(path.root());
			return states;
		}
		Container &in = open_.back();
		if (!in.array) return in.child;
		if (in.count) out_ += ", ";
		for (std::size_t i = 0; i < paths_.size(); ++i) states.push_back(paths_[i].element(in.here[i], in.count));
		++in.count;
		return states;
	}

	std::optional<std::size_t> rule_of(const std::vector<JsonPath::State> &states) const
	{
		for (std::size_t i = 0; i < paths_.size(); ++i)
			if (paths_[i].matched(states[i])) return i;
		return std::nullopt;
	}

	void append_string(std::string_view text) { out_ += Json(std::string(text)).dump(); }

	// A number or a boolean, as it was written.
	bool scalar(std::string_view text)
	{
		const auto rule = rule_of(begin_value());
		if (!rule) {
			out_ += text;
			return true;
		}
		const auto masked = mask_(*rule, text);
		if (!masked) out_ += "null";
		else if (*masked == text || is_number(*masked)) out_ += *masked;
		else append_string(*masked);
		return true;
	}

	bool start(bool array)
	{
		Container one{array, 0, begin_value(), {}};
		out_ += array ? '[' : '{';
		open_.push_back(std::move(one));
		return true;
	}

	bool end(char bracket)
	{
		out_ += bracket;
		open_.pop_back();
		return true;
	}

public:
	Writer(const std::vector<JsonPath> &paths, const LeafMask &mask, std::string &out) : paths_(paths), mask_(mask), out_(out) {}

	bool null() override
	{
		begin_value();
		out_ += "null";
		return true;
	}
	bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
	bool number_integer(number_integer_t value) override { return scalar(std::to_string(value)); }
	bool number_unsigned(number_unsigned_t value) override { return scalar(std::to_string(value)); }
	bool number_float(number_float_t, const string_t &text) override { return scalar(text); }
	bool string(string_t &text) override
	{
		const auto rule = rule_of(begin_value());
		if (!rule) {
			append_string(text);
			return true;
		}
		if (const auto masked = mask_(*rule, text)) append_string(*masked);
		else out_ += "null";
		return true;
	}
	bool binary(binary_t &) override { return false; }    // no JSON has any
	bool start_object(std::size_t) override { return start(false); }
	bool end_object() override { return end('}'); }
	bool start_array(std::size_t) override { return start(true); }
	bool end_array() override { return end(']'); }
	bool key(string_t &name) override
	{
		Container &in = open_.back();
		if (in.count++) out_ += ", ";
		append_string(name);
		out_ += ": ";
		in.child.clear();
		for (std::size_t i = 0; i < paths_.size(); ++i) in.child.push_back(paths_[i].member(in.here[i], name));
		return true;
	}
	bool parse_error(std::size_t, const std::string &, const nlohmann::detail::exception &) override { return false; }
};

}  // namespace

bool mask_json(std::string_view document, const std::vector<JsonPath> &paths, const LeafMask &mask, std::string &out)
{
	Writer writer(paths, mask, out);
	return Json::sax_parse(document, &writer);
}

}  // namespace core
