// How progress reads.
#include "catch.hpp"
#include "../../client/progress.hpp"

using namespace client;
using namespace std::chrono_literals;

TEST_CASE("numbers for people")
{
	CHECK(show_count(0) == "0");
	CHECK(show_count(999) == "999");
	CHECK(show_count(1204331) == "1,204,331");
	CHECK(show_count(-1000) == "-1,000");
	CHECK(show_bytes(0) == "0 bytes");
	CHECK(show_bytes(999) == "999 bytes");
	CHECK(show_bytes(1000) == "1.0 kB");
	CHECK(show_bytes(999'999) == "1.0 MB");
	CHECK(show_bytes(3'600'000'000) == "3.6 GB");
	CHECK(show_bytes(18'400'000) == "18 MB");
	CHECK(show_rate(1204331, 1.483) == "812 k/s");
	CHECK(show_rate(30, 2) == "15 /s");
	CHECK(show_duration(0.006) == "6 ms");
	CHECK(show_duration(0.11) == "0.11 s");
	CHECK(show_duration(1.53) == "1.5 s");
	CHECK(show_duration(98) == "1 min 38 s");
	CHECK(show_duration(59.97) == "1 min 0 s");
	CHECK(show_duration(3725) == "1 h 2 min");
}

namespace {

Progress::State state_at(std::chrono::steady_clock::time_point now)
{
	Progress::State state;
	state.begun = now - 10s;
	Progress::Table customers{"apps_customers_customer", 1204331, 402'000'000, 400'000'000, 1, 1, now - 9s, now - 7500ms, false};
	Progress::Table orders{"apps_orders_order", 500'000, 48'000'000, 100'000'000, 2, 0, now - 5s, {}, true};
	Progress::Table waiting{"apps_later", 0, 0, 10, 1, 0, {}, {}, false};
	for (const auto &table : {customers, orders, waiting}) state.tables[table.name] = table;
	state.expected = 3'600'000'000, state.bytes = 1'900'000'000;
	state.work = 400, state.worked = 100;
	state.others = 310, state.others_done = 84;
	return state;
}

}  // namespace

TEST_CASE("bars: tables that run, the last that are done, indexes, all")
{
	auto now = std::chrono::steady_clock::now();
	auto lines = Progress::bars(state_at(now), "uat", 120, 40, true, now);
	REQUIRE(lines.size() == 4);
	CHECK(lines[0].starts_with("uat  apps_customers_customer  ████"));
	CHECK(lines[0].find("1,204,331 rows  803 k/s") != std::string::npos);
	CHECK(lines[0].ends_with("1.5 s"));
	CHECK(lines[1].starts_with("     apps_orders_order "));
	CHECK(lines[1].find("48 %") != std::string::npos);
	CHECK(lines[1].ends_with("0:05 left"));
	CHECK(lines[2].find("84 of 310") != std::string::npos);
	CHECK(lines[3].find("1.9 GB of 3.6 GB") != std::string::npos);
	CHECK(lines[3].ends_with("0:30 left"));
}

TEST_CASE("bars fit any terminal")
{
	auto now = std::chrono::steady_clock::now();
	auto state = state_at(now);
	for (int i = 0; i < 50; ++i) {
		Progress::Table table{"a_rather_long_name_of_a_table_number_" + std::to_string(i), 1, 1, 100, 1, 0, now - 1s, {}, true};
		state.tables[table.name] = table;
	}
	state.waiting = "switch: apps_orders is in use, by pid 4711 (tester, psql, idle in transaction)";
	for (int width : {1, 20, 40, 80, 200})
		for (int height : {1, 5, 24}) {
			auto lines = Progress::bars(state, "uat", width, height, true, now);
			CHECK(static_cast<int>(lines.size()) <= std::max(height, 5));
			for (const std::string &line : lines)
				CHECK(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }) <= std::max(width - 1, 1));
		}
	CHECK(Progress::bars(state_at(now), "", 80, 24, false, now)[0].find("####") != std::string::npos);
}

TEST_CASE("a line per table where there is no terminal")
{
	auto now = std::chrono::steady_clock::now();
	CHECK(Progress::line({"apps_x", 1204331, 402'000'000, 0, 1, 1, now - 1500ms, now, false}) == "apps_x: 1,204,331 rows, 402 MB in 1.5 s (803 k/s)");
	CHECK(Progress::line({"apps_y", 1, 20, 0, 1, 1, now, now, false}) == "apps_y: 1 row, 20 bytes in 0 ms");
}
