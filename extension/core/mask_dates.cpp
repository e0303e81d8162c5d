// Dates and timestamps, in columns of those types and in texts of the ISO form. The day is replaced where it stands, so fractions of a second,
// zones and the T between date and time are what they were.
#include <algorithm>

#include "calendar.hpp"
#include "digit_cipher.hpp"
#include "mask_tables.hpp"
#include "scramble.hpp"

namespace core {

namespace {

struct Moment {
	enum class Kind { none, infinite, date, timestamp } kind = Kind::none;
	std::size_t day_end = 0;    // of 2024-02-29 in 2024-02-29 12:34:56
};

Moment read_moment(std::string_view text)
{
	if (text == "infinity" || text == "-infinity") return {Moment::Kind::infinite, 0};
	const std::size_t end = std::min(text.find_first_of(" T"), text.size());
	if (parse_date(text)) return {Moment::Kind::date, end};
	bool with_zone = false;
	return parse_timestamp(text, with_zone) ? Moment{Moment::Kind::timestamp, end} : Moment{};
}

bool is_moment(std::string_view text) { return read_moment(text).kind != Moment::Kind::none; }

class DateMasker : public Masker {
protected:
	Scramble scramble_;

public:
	explicit DateMasker(const MaskSubkey &key) : scramble_(mask_hash("scramble", key)) {}
};

// ---- date_shift ----

constexpr std::int64_t default_days = 180;

class DateShift : public DateMasker {
	std::int64_t days_;

public:
	DateShift(const MaskRule &rule, const MaskSubkey &key) : DateMasker(key), days_(rule.number("days", default_days)) {}

	void write(std::string_view value, Hash hash, std::string &out) override
	{
		const Moment moment = read_moment(value);
		if (moment.kind == Moment::Kind::none) return scramble_.append(value, out, is_moment);
		if (moment.kind == Moment::Kind::infinite) {
			out += value;
			return;
		}
		// From -days to days, never 0.
		auto shift = static_cast<std::int64_t>(first_word(hash) % static_cast<std::uint64_t>(2 * days_)) - days_;
		if (shift >= 0) ++shift;
		const bool bc = value.ends_with(" BC");
		const std::string_view rest = value.substr(moment.day_end);
		const std::int64_t day =
		    *parse_date(bc ? std::string(value.substr(0, moment.day_end)) + " BC" : std::string(value.substr(0, moment.day_end)));
		const std::size_t at = out.size();
		for (const std::int64_t towards : {shift, -shift}) {
			out.resize(at);
			append_date(static_cast<std::int32_t>(day + towards), out);
			const bool still_bc = out.ends_with(" BC");
			if (still_bc) out.resize(out.size() - 3);
			// Beyond the last day of the types, the first one, or the digits of the year it would not fit: the other way then.
			const std::int64_t year = day_of(day + towards).year;
			if (still_bc == bc && out.size() - at == moment.day_end && year > -4712 && year < 294276) break;
		}
		out += rest;
	}
};

// ---- date_truncate ----

bool to_year(const MaskRule &rule) { return rule.text("to", "month") == "year"; }

class DateTruncate : public DateMasker {
	bool year_;

public:
	DateTruncate(const MaskRule &rule, const MaskSubkey &key) : DateMasker(key), year_(to_year(rule)) {}

	void write(std::string_view value, Hash, std::string &out) override
	{
		const Moment moment = read_moment(value);
		if (moment.kind == Moment::Kind::none) return scramble_.append(value, out, is_moment);
		const std::size_t at = out.size();
		out += value;
		if (moment.kind == Moment::Kind::infinite) return;
		const std::size_t day = at + moment.day_end;
		out.replace(day - 2, 2, "01");
		if (year_) out.replace(day - 5, 2, "01");
		// The time, up to the zone: 00:00:00.000
		for (std::size_t i = day; i < out.size() && out[i] != '+' && out[i] != '-' && out[i] != 'Z'; ++i)
			if (out[i] >= '0' && out[i] <= '9') out[i] = '0';
	}
};

bool is_truncated(std::string_view value, const MaskRule &rule)
{
	const Moment moment = read_moment(value);
	if (moment.kind == Moment::Kind::none || moment.kind == Moment::Kind::infinite) return true;
	if (value.substr(moment.day_end - 2, 2) != "01" || (to_year(rule) && value.substr(moment.day_end - 5, 2) != "01")) return false;
	const std::string_view time = value.substr(moment.day_end, value.find_first_of("+-Z", moment.day_end) - moment.day_end);
	return std::all_of(time.begin(), time.end(), [](char c) { return c < '1' || c > '9'; });
}

}  // namespace

std::vector<Strategy> date_strategies()
{
	using enum ValueKind;
	return {
	    {.name = "date_shift",
	        .gives = "a day near by",
	        .takes = {text, date, timestamp},
	        .keyed = true,
	        .options = {{.name = "days", .kind = MaskOption::Kind::number, .least = 1, .most = 36'500, .otherwise = "180"}},
	        .width = width_of<as_long_as_the_value>,
	        .distinct = never_distinct,
	        .make = masker<DateShift>,
	        .in_form = any_text,
	        .recognizable = false},
	    {.name = "date_truncate",
	        .gives = "the first day of the month or year",
	        .takes = {text, date, timestamp},
	        .keyed = true,
	        .options = {{.name = "to", .kind = MaskOption::Kind::word, .words = {"month", "year"}, .otherwise = "\"month\""}},
	        .width = width_of<as_long_as_the_value>,
	        .distinct = never_distinct,
	        .make = masker<DateTruncate>,
	        .in_form = is_truncated,
	        .recognizable = false},
	};
}

}  // namespace core
