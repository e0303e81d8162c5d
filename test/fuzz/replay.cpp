// Runs each fuzz target on its corpus and on changes of it, always the same ones: test/fuzz/replay [-n CHANGES] [TARGET...]. No libFuzzer is
// needed, and it takes seconds; `make fuzz` looks for new inputs.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>
#include <unistd.h>
#include "target.hpp"

#define TARGETS(each) each(rewrite) each(masked_rows) each(parts) each(value_text) each(rules) each(yaml_edit) each(samples)
#define DECLARED(name) extern "C" int fuzz_##name(const std::uint8_t *, std::size_t);
TARGETS(DECLARED)

namespace {

struct Target {
	const char *name;
	int (*run)(const std::uint8_t *, std::size_t);
};
#define LISTED(name) {#name, fuzz_##name},
const Target targets[] = {TARGETS(LISTED)};

constexpr unsigned patience = 20;    // seconds for one input

const char *running = "";
std::string input;

// The input that did it, to be put into the corpus once it is mended.
extern "C" void tell(int signal)
{
	static const char digits[] = "0123456789abcdef";
	const auto say = [](const char *text, std::size_t size) { (void)!::write(2, text, size); };
	say(running, std::strlen(running));
	say(": the input (xxd -r -p): ", 25);
	for (const char c : input) {
		const auto byte = static_cast<unsigned char>(c);
		const char hex[] = {digits[byte >> 4], digits[byte & 15]};
		say(hex, 2);
	}
	say("\n", 1);
	std::signal(signal, SIG_DFL);
	std::raise(signal);
}

std::string changed(std::string text, const std::vector<std::string> &corpus, std::mt19937 &random)
{
	const auto below = [&](std::size_t n) { return n ? random() % n : 0; };
	static const std::string words[] = {"\"", "\\", "{", "}", "[", "]", ":", ",", "\n", "\t", "\\N", "\\u0000", "\\ud800", "\xff", "\xc0\x80", "\xed\xa0\x80", std::string(1, '\0'), "NULL", "null", "-", "+",
	    "0", "99999999999999999999", "1e999", "@", ".", "$", "*", "..", "infinity", "NaN", " ", "#", "&a", "*a", "- ", ": ", "2147483648", "-9223372036854775808", "\xf0\x9f\x98\x80", "=>", "..."};
	for (auto times = 1 + below(4); times-- > 0;) {
		const auto at = below(text.size() + 1), size = std::min(below(8) + 1, text.size() - at);
		switch (below(7)) {
		case 0: text.insert(at, words[below(std::size(words))]); break;
		case 1: text.erase(at, size); break;
		case 2: text.insert(at, text.substr(at, size)); break;
		case 3:
			if (at < text.size()) text[at] = static_cast<char>(below(256));
			break;
		case 4:
			if (at < text.size()) text[at] = static_cast<char>(text[at] ^ 1 << below(8));
			break;
		case 5: {
			const std::string &other = corpus[below(corpus.size())];
			const auto from = below(other.size() + 1);
			text = text.substr(0, at) + other.substr(from);
			break;
		}
		case 6: text.resize(at); break;
		}
		if (text.size() > 4096) text.resize(4096);
	}
	return text;
}

}  // namespace

int main(int argc, char **argv)
{
	std::size_t changes = 4000;
	std::vector<std::string> wanted;
	for (int i = 1; i < argc; ++i)
		if (argv[i] == std::string_view("-n") && i + 1 < argc) changes = std::strtoul(argv[++i], nullptr, 10);
		else wanted.emplace_back(argv[i]);
	for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM}) std::signal(signal, tell);
	int done = 0;
	for (const Target &target : targets) {
		if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), target.name) == wanted.end()) continue;
		running = target.name;
		std::vector<std::string> files, corpus;
		const std::filesystem::path folder = std::filesystem::path("test/fuzz/corpus") / target.name;
		if (std::filesystem::is_directory(folder))
			for (const auto &file : std::filesystem::directory_iterator(folder)) files.push_back(file.path().string());
		std::sort(files.begin(), files.end());
		for (const auto &file : files) {
			std::ifstream in(file, std::ios::binary);
			corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
		}
		if (corpus.empty()) {
			std::fprintf(stderr, "%s: there is no corpus in %s\n", target.name, folder.c_str());
			return 1;
		}
		const auto begin = std::chrono::steady_clock::now();
		const auto run = [&](std::string text) {
			input = std::move(text);
			::alarm(patience);    // one that hangs is shown, too
			target.run(reinterpret_cast<const std::uint8_t *>(input.data()), input.size());
		};
		for (const auto &text : corpus) run(text);
		std::mt19937 random(20261121);
		for (std::size_t i = 0; i < changes; ++i) run(changed(corpus[i % corpus.size()], corpus, random));
		::alarm(0);
		std::printf("ok %s: %zu inputs, %zu changes of them, %.1f s\n", target.name, corpus.size(), changes,
			std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
		std::fflush(stdout);
		++done;
	}
	if (!done) std::fprintf(stderr, "there is no such target\n");
	return done ? 0 : 2;
}
