// What masking one value costs: every strategy over the values of the golden file that have up to 64 bytes, odd ones included.
// Run by `make bench` (or `make bench WAYS=masks`) in the project's folder. Exit code 1: a strategy takes more than 2
// microseconds on average.
#include <benchmark/benchmark.h>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include "core/copy_text.hpp"
#include "core/config.hpp"
#include "core/masks.hpp"

namespace {

constexpr std::size_t longest_value = 64;
constexpr double most_nanoseconds = 2000;

struct Row {
	std::string strategy, label, value;
	core::MaskRule rule;
};

std::vector<Row> golden_rows()
{
	std::ifstream file("test/fixtures/masks.tsv");
	std::vector<Row> rows;
	for (std::string line, buffer; std::getline(file, line);) {
		std::vector<std::string> fields;
		for (std::size_t at = 0; at <= line.size();) {
			const auto end = std::min(line.find('\t', at), line.size());
			fields.emplace_back(core::copy_unescaped(std::string_view(line).substr(at, end - at), buffer));
			at = end + 1;
		}
		if (fields.size() != 4 || fields[2].empty() || fields[2].size() > longest_value) continue;
		auto rule = core::json::parse(fields[1]);
		rule["strategy"] = fields[0];
		rule["column"] = "x";
		std::vector<core::Problem> problems;
		const auto parsed = core::parse_column_rule(rule, "x", problems);
		if (parsed) rows.push_back({fields[0], fields[0] + "/" + std::to_string(rows.size()), fields[2], parsed->rule});
	}
	return rows;
}

// The best of the repetitions of each row, as processor time: the machine may have other things to do.
class Best : public benchmark::BenchmarkReporter {
public:
	std::map<std::string, double> nanoseconds;

	bool ReportContext(const Context &) override { return true; }
	void ReportRuns(const std::vector<Run> &runs) override
	{
		for (const Run &run : runs) {
			if (run.run_type != Run::RT_Iteration) continue;
			const double time = run.GetAdjustedCPUTime();
			auto [best, first] = nanoseconds.emplace(run.run_name.function_name, time);
			if (!first) best->second = std::min(best->second, time);
		}
	}
};

}  // namespace

int main()
{
	std::string why;
	const auto key = *core::MaskKey::parse("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", why);
	const std::vector<Row> rows = golden_rows();
	if (rows.empty()) {
		std::fprintf(stderr, "prodsync: error: no values in test/fixtures/masks.tsv\nhint: run this in the project's folder\n");
		return 1;
	}
	for (const Row &row : rows) {
		auto mask = std::make_shared<core::Mask>(row.rule, &key);
		auto loop = [mask, &row](benchmark::State &state) {
			for (auto _ : state) benchmark::DoNotOptimize((*mask)(row.value));
		};
		benchmark::RegisterBenchmark(row.label.c_str(), loop)->MinTime(0.004)->Repetitions(3);
	}
	int argc = 1;
	char name[] = "masks", *argv[] = {name, nullptr};
	benchmark::Initialize(&argc, argv);
	Best best;
	benchmark::RunSpecifiedBenchmarks(&best);
	std::printf("| strategy | values | nanoseconds a value | the slowest of them |\n|---|---|---|---|\n");
	bool slow = false;
	for (const core::Strategy &strategy : core::strategies()) {
		double sum = 0, most = 0;
		int values = 0;
		for (const Row &row : rows)
			if (row.strategy == strategy.name) {
				const double time = best.nanoseconds[row.label];
				sum += time, most = std::max(most, time), ++values;
			}
		std::printf("| `%s` | %d | %.0f | %.0f |\n", strategy.name, values, values ? sum / values : 0, most);
		slow = slow || sum > values * most_nanoseconds;
	}
	if (slow) std::fprintf(stderr, "prodsync: error: a strategy takes more than %.0f ns a value\n", most_nanoseconds);
	return slow;
}
