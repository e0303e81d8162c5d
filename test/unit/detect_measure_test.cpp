// How good detection is, in numbers: on columns of a real schema with made-up rows, that people have labelled (test/fixtures/detect/README.md).
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <tuple>
#include "catch.hpp"
#include "core/detect.hpp"
#include "fixtures.hpp"

namespace {

using namespace core;

std::vector<std::string> cells(const std::string &line)
{
	std::vector<std::string> out(1);
	for (const char c : line)
		if (c == '\t') out.emplace_back();
		else out.back() += c;
	return out;
}

std::vector<std::vector<std::string>> rows(const std::string &name)
{
	std::ifstream file("test/fixtures/detect/" + name);
	REQUIRE(file);
	std::vector<std::vector<std::string>> out;
	for (std::string line; std::getline(file, line);) out.push_back(cells(line));
	return out;
}

// As COPY writes it.
std::string unescaped(const std::string &text)
{
	std::string out;
	for (std::size_t i = 0; i < text.size(); ++i) {
		if (text[i] != '\\' || i + 1 == text.size()) out += text[i];
		else if (const char c = text[++i]; c == 'n') out += '\n';
		else if (c == 't') out += '\t';
		else if (c == 'r') out += '\r';
		else out += c;
	}
	return out;
}

Contents contents(const Catalog &catalog)
{
	Contents out;
	for (const auto &row : rows("values.tsv")) {
		const auto table = fixtures::name(row.at(0));
		add_sample(out[table], *catalog.find(table), {row.at(1)}, {unescaped(row.at(2))});
	}
	return out;
}

struct Score {
	int found = 0, missed = 0, wrong = 0, right = 0;
	std::string errors;
	double recall() const { return static_cast<double>(found) / std::max(1, found + missed); }
	// of what is flagged and labelled either way
	double precision() const { return static_cast<double>(found) / std::max(1, found + wrong); }
};

Score score(const Catalog &catalog, const Contents &content, const std::string &half)
{
	const auto found = find_personal(catalog, content);
	Score out;
	for (const auto &row : rows("labels.tsv")) {
		if (row.at(0) == "table" || (!half.empty() && row.at(5) != half)) continue;
		const auto table = found.find(fixtures::name(row[0]));
		const bool flagged_here = table != found.end() && table->second.contains(row[1]);
		if (row[4] == "definite") {
			++(flagged_here ? out.found : out.missed);
			if (!flagged_here) out.errors += "  missed " + row[0] + "." + row[1] + " (" + row[3] + ")\n";
		} else if (row[4] == "trap") {
			++(flagged_here ? out.wrong : out.right);
			if (flagged_here) out.errors += "  wrong " + row[0] + "." + row[1] + ": " + table->second.at(row[1]).evidence + "\n";
		}
	}
	return out;
}

}  // namespace

TEST_CASE("C1: detection finds what people labelled, and not the traps")
{
	const auto catalog = fixtures::catalog("mymoolah");
	const auto content = contents(catalog);
	for (const auto &[half, with, what] : {std::tuple{"", &content, "names and content"}, {"tune", &content, "half used while building"},
	         {"held", &content, "half held back"}}) {
		const Score one = score(catalog, *with, half);
		std::cout << "detection, " << what << ": recall " << one.recall() << " (" << one.found << " of " << one.found + one.missed << "), precision "
		          << one.precision() << " (" << one.wrong << " of " << one.wrong + one.right << " traps)\n";
		INFO(one.errors);
		CHECK(one.recall() >= 0.95);
		CHECK(one.precision() >= 0.9);
	}
	const Score names = score(catalog, {}, "");
	std::cout << "detection, names alone: recall " << names.recall() << ", precision " << names.precision() << "\n";
}
