#include "calendar.hpp"

#include <charconv>
#include <cstdio>

namespace core {

namespace {

constexpr std::int64_t epoch = 730'425;    // days from 0000-03-01 to 2000-01-01

// A number of exactly so many digits, or of at least four for a year.
bool take_number(std::string_view &text, std::size_t least, std::size_t most, std::int64_t &value)
{
	std::size_t size = 0;
	while (size < text.size() && size < most && text[size] >= '0' && text[size] <= '9') ++size;
	if (size < least) return false;
	std::from_chars(text.data(), text.data() + size, value);
	text.remove_prefix(size);
	return true;
}

bool take(std::string_view &text, std::string_view what)
{
	if (!text.starts_with(what)) return false;
	text.remove_prefix(what.size());
	return true;
}

int days_in(std::int64_t year, std::int64_t month)
{
	static constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

// "2024-02-29"; the year before it is known whether it is BC.
bool take_day(std::string_view &text, Day &day)
{
	std::int64_t month = 0, of_month = 0;
	if (!take_number(text, 4, 7, day.year) || !take(text, "-") || !take_number(text, 2, 2, month) || !take(text, "-") ||
	    !take_number(text, 2, 2, of_month))
		return false;
	if (month < 1 || month > 12 || of_month < 1 || of_month > 31) return false;
	day.month = static_cast<int>(month), day.day = static_cast<int>(of_month);
	return true;
}

bool finish_day(Day &day, bool bc)
{
	if (day.year == 0) return false;    // there is no such year; 1 BC is before 1
	if (bc) day.year = 1 - day.year;
	return day.day <= days_in(day.year, day.month);
}

void append_number(std::int64_t value, int digits, std::string &out)
{
	char buffer[24];
	std::snprintf(buffer, sizeof buffer, "%0*lld", digits, static_cast<long long>(value));
	out += buffer;
}

void append_day(const Day &day, std::string &out)
{
	append_number(day.year > 0 ? day.year : 1 - day.year, 4, out);
	out += '-';
	append_number(day.month, 2, out);
	out += '-';
	append_number(day.day, 2, out);
}

}  // namespace

// Years are counted from March, so that the leap day is the last one.
std::int64_t days_of(const Day &day)
{
	const std::int64_t year = day.month > 2 ? day.year : day.year - 1, month = day.month > 2 ? day.month - 3 : day.month + 9;
	const std::int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
	return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day.day - 1 - epoch;
}

Day day_of(std::int64_t days)
{
	days += epoch;
	const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097, of_era = days - era * 146'097;
	const std::int64_t year = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
	const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
	Day day;
	day.day = static_cast<int>(of_year - (153 * month + 2) / 5 + 1);
	day.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
	day.year = year + era * 400 + (day.month <= 2);
	return day;
}

std::optional<std::int32_t> parse_date(std::string_view text)
{
	if (text == "infinity") return date_infinity;
	if (text == "-infinity") return date_minus_infinity;
	Day day;
	if (!take_day(text, day)) return std::nullopt;
	const bool bc = take(text, " BC");
	if (!text.empty() || !finish_day(day, bc)) return std::nullopt;
	return static_cast<std::int32_t>(days_of(day));
}

std::optional<std::int64_t> parse_timestamp(std::string_view text, bool &with_zone)
{
	with_zone = false;
	if (text == "infinity") return time_infinity;
	if (text == "-infinity") return time_minus_infinity;
	Day day;
	std::int64_t hour = 0, minute = 0, second = 0, fraction = 0, offset = 0;
	if (!take_day(text, day) || !(take(text, " ") || take(text, "T"))) return std::nullopt;
	if (!take_number(text, 2, 2, hour) || !take(text, ":") || !take_number(text, 2, 2, minute) || !take(text, ":") ||
	    !take_number(text, 2, 2, second))
		return std::nullopt;
	if (hour > 24 || minute > 59 || second > 60) return std::nullopt;
	if (take(text, ".")) {
		const std::size_t before = text.size();
		if (!take_number(text, 1, 6, fraction)) return std::nullopt;
		for (std::size_t digits = before - text.size(); digits < 6; ++digits) fraction *= 10;
	}
	if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
		const int sign = text.front() == '-' ? -1 : 1;
		text.remove_prefix(1);
		std::int64_t hours = 0, minutes = 0, seconds = 0;
		if (!take_number(text, 2, 2, hours)) return std::nullopt;
		if (take(text, ":") && !take_number(text, 2, 2, minutes)) return std::nullopt;
		if (take(text, ":") && !take_number(text, 2, 2, seconds)) return std::nullopt;    // local mean times of old
		offset = sign * (hours * 3600 + minutes * 60 + seconds);
		with_zone = true;
	} else if (take(text, "Z"))
		with_zone = true;
	const bool bc = take(text, " BC");
	if (!text.empty() || !finish_day(day, bc)) return std::nullopt;
	// years beyond what 64 bits of microseconds hold are no timestamp
	std::int64_t us = 0;
	if (__builtin_mul_overflow(days_of(day), day_us, &us) ||
	    __builtin_add_overflow(us, (hour * 3600 + minute * 60 + second - offset) * 1'000'000 + fraction, &us))
		return std::nullopt;
	return us;
}

void append_date(std::int32_t days, std::string &out)
{
	if (days == date_infinity || days == date_minus_infinity) {
		out += days == date_infinity ? "infinity" : "-infinity";
		return;
	}
	const Day day = day_of(days);
	append_day(day, out);
	if (day.year <= 0) out += " BC";
}

void append_timestamp(std::int64_t us, bool with_zone, std::string &out)
{
	if (us == time_infinity || us == time_minus_infinity) {
		out += us == time_infinity ? "infinity" : "-infinity";
		return;
	}
	std::int64_t days = us / day_us, of_day = us % day_us;
	if (of_day < 0) of_day += day_us, --days;
	const Day day = day_of(days);
	append_day(day, out);
	const std::int64_t seconds = of_day / 1'000'000;
	out += ' ';
	append_number(seconds / 3600, 2, out);
	out += ':';
	append_number(seconds / 60 % 60, 2, out);
	out += ':';
	append_number(seconds % 60, 2, out);
	if (std::int64_t fraction = of_day % 1'000'000; fraction) {
		out += '.';
		append_number(fraction, 6, out);
		while (out.back() == '0') out.pop_back();
	}
	if (with_zone) out += "+00";
	if (day.year <= 0) out += " BC";
}

}  // namespace core
