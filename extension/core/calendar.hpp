// Dates and times of day as PostgreSQL counts them: days and microseconds since 2000-01-01, proleptic Gregorian.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace core {

constexpr std::int32_t date_infinity = INT32_MAX, date_minus_infinity = INT32_MIN;
constexpr std::int64_t time_infinity = INT64_MAX, time_minus_infinity = INT64_MIN;
constexpr std::int64_t day_us = 86'400'000'000;

struct Day {
	std::int64_t year = 0;    // astronomical: 0 is 1 BC
	int month = 1, day = 1;
};
std::int64_t days_of(const Day &);
Day day_of(std::int64_t days);

// ISO forms: 2024-02-29, 0044-03-15 BC, infinity; 2024-02-29 12:34:56.789, with +02, +05:30 or +00 behind where there is a zone (the
// microseconds are then those of UTC). nullopt: not that.
std::optional<std::int32_t> parse_date(std::string_view);
std::optional<std::int64_t> parse_timestamp(std::string_view, bool &with_zone);
void append_date(std::int32_t days, std::string &out);
void append_timestamp(std::int64_t us, bool with_zone, std::string &out);    // with_zone: +00

}  // namespace core
