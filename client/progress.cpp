#include "progress.hpp"
#include <sys/ioctl.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include "interrupt.hpp"

namespace client {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

double seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

std::string format(const char *pattern, double value)
{
	char text[64];
	std::snprintf(text, sizeof text, pattern, value);
	return text;
}

// Characters, not bytes: continuation bytes of UTF-8 take no column.
std::size_t columns(std::string_view text)
{
	return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string pad(std::string text, std::size_t width, bool right = false)
{
	std::size_t have = columns(text);
	if (have >= width) return text;
	return right ? std::string(width - have, ' ') + text : text + std::string(width - have, ' ');
}

std::string cut(const std::string &text, std::size_t width)
{
	if (columns(text) <= width) return text;
	std::size_t at = 0;
	for (std::size_t seen = 0; at < text.size(); ++at)
		if ((text[at] & 0xc0) != 0x80 && ++seen > width) break;
	return text.substr(0, at);
}

bool utf8_terminal()
{
	for (const char *name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
		const char *value = std::getenv(name);
		if (!value || !*value) continue;
		std::string lower(value);
		std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
		return lower.find("utf-8") != std::string::npos || lower.find("utf8") != std::string::npos;
	}
	return false;
}

std::string bar(double share, std::size_t width, bool utf8)
{
	std::string out;
	auto full = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
	for (std::size_t i = 0; i < width; ++i) out += i < full ? (utf8 ? "█" : "#") : (utf8 ? "░" : ".");
	return out;
}

std::string clock(double s)
{
	auto all = static_cast<long>(s + 0.5);
	char text[32];
	if (all >= 3600) std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", all / 3600, all / 60 % 60, all % 60);
	else std::snprintf(text, sizeof text, "%ld:%02ld", all / 60, all % 60);
	return text;
}

// Shares of the first moments say nothing.
std::string left(double share, double elapsed)
{
	return share < 0.01 || elapsed < 0.5 || share >= 1 ? "" : clock(elapsed * (1 - share) / share) + " left";
}

double ratio(std::int64_t part, std::int64_t all) { return all > 0 ? static_cast<double>(part) / static_cast<double>(all) : 0; }

bool counts(const core::Step &step) { return step.kind == "load"; }

}  // namespace

std::string show_bytes(std::int64_t bytes)
{
	static constexpr const char *units[] = {"bytes", "kB", "MB", "GB", "TB"};
	auto value = static_cast<double>(bytes);
	std::size_t unit = 0;
	while (value >= 999.5 && unit + 1 < std::size(units)) value /= 1000, ++unit;
	return format(unit == 0 || value >= 9.95 ? "%.0f " : "%.1f ", value) + units[unit];
}

std::string show_count(std::int64_t count)
{
	const std::string digits = std::to_string(count);
	std::string out;
	for (std::size_t at = 0; at < digits.size(); ++at) {
		if (at > 0 && digits[at - 1] != '-' && (digits.size() - at) % 3 == 0) out += ',';
		out += digits[at];
	}
	return out;
}

std::string show_rate(std::int64_t rows, double s)
{
	double rate = static_cast<double>(rows) / std::max(s, 0.001);
	return rate >= 9950 ? format("%.0f k/s", rate / 1000) : rate >= 1000 ? format("%.1f k/s", rate / 1000) : format("%.0f /s", rate);
}

std::string show_duration(double s)
{
	if (s < 0.095) return format("%.0f ms", s * 1000);
	if (s < 0.995) return format("%.2f s", s);
	if (s < 59.95) return format("%.1f s", s);
	auto all = static_cast<long>(s + 0.5);
	return all < 3600 ? std::to_string(all / 60) + " min " + std::to_string(all % 60) + " s"
					  : std::to_string(all / 3600) + " h " + std::to_string(all / 60 % 60) + " min";
}

Progress::Style Progress::style_of_stderr()
{
	const char *term = std::getenv("TERM");
	return isatty(STDERR_FILENO) && term && std::string_view(term) != "dumb" ? Style::terminal : Style::lines;
}

Progress::Progress(Style style, std::string label) : style_(style), label_(std::move(label)), utf8_(utf8_terminal()) {}

Progress::~Progress() { end(); }

void Progress::begin(const std::vector<core::Step> &steps)
{
	std::lock_guard lock(mutex_);
	state_ = {};
	seen_.clear();
	state_.begun = Clock::now();
	for (const core::Step &step : steps) {
		state_.work += std::max<std::int64_t>(step.est_bytes, 1);
		if (!counts(step)) {
			++state_.others;
			continue;
		}
		Table &table = state_.tables[step.table.shown()];
		table.name = step.table.shown();
		table.expected += step.est_bytes;
		++table.loads;
		state_.expected += step.est_bytes;
	}
	if (style_ != Style::terminal || thread_.joinable()) return;
	interrupt::farewell("\r\033[J\033[?25h");
	std::fputs("\033[?25l", stderr);
	thread_ = std::thread([this] {
		std::unique_lock inner(mutex_);
		while (!wake_.wait_for(inner, 100ms, [this] { return stop_; })) draw();
	});
}

void Progress::started(const core::Step &step)
{
	std::lock_guard lock(mutex_);
	if (!counts(step)) return;
	Table &table = state_.tables[step.table.shown()];
	if (table.begun == Clock::time_point{}) table.begun = Clock::now();
	table.running = true;
}

void Progress::account(const core::Step &step, std::int64_t rows, std::int64_t bytes, bool done)
{
	Seen &seen = seen_[step.step];
	// The estimate is of files, what comes is COPY's: the two meet only at the end.
	std::int64_t share = done ? std::max<std::int64_t>(step.est_bytes, 1) : std::min(bytes, step.est_bytes - step.est_bytes / 50);
	state_.worked += share - seen.share;
	if (counts(step)) {
		Table &table = state_.tables[step.table.shown()];
		table.rows += rows - seen.rows;
		table.bytes += bytes - seen.bytes;
		state_.bytes += (done ? step.est_bytes : share) - seen.share;
	}
	seen = {rows, bytes, share};
}

void Progress::advanced(const core::Step &step, std::int64_t rows, std::int64_t bytes)
{
	std::lock_guard lock(mutex_);
	account(step, rows, bytes, false);
}

void Progress::finished(const core::Step &step, std::int64_t rows)
{
	std::lock_guard lock(mutex_);
	account(step, counts(step) ? rows : 0, seen_[step.step].bytes, true);
	if (!counts(step)) {
		++state_.others_done;
		return;
	}
	Table &table = state_.tables[step.table.shown()];
	if (++table.loaded < table.loads) return;
	table.running = false;
	table.ended = Clock::now();
	if (style_ == Style::lines) std::fprintf(stderr, "%s\n", line(table).c_str());
}

void Progress::note(const std::string &text)
{
	std::lock_guard lock(mutex_);
	if (style_ == Style::none) return;
	erase();
	std::fprintf(stderr, "%s\n", text.c_str());
}

void Progress::waiting(const std::string &what)
{
	std::lock_guard lock(mutex_);
	if (style_ == Style::lines && !what.empty() && what != state_.waiting) std::fprintf(stderr, "%s\n", what.c_str());
	state_.waiting = what;
}

void Progress::end()
{
	{
		std::lock_guard lock(mutex_);
		stop_ = true;
	}
	wake_.notify_all();
	if (!thread_.joinable()) return;
	thread_.join();
	erase();
	std::fputs("\033[?25h", stderr);
	std::fflush(stderr);
	interrupt::farewell(nullptr);
}

void Progress::erase()
{
	if (drawn_) std::fprintf(stderr, "\033[%dA\r\033[J", drawn_);
	drawn_ = 0;
}

void Progress::draw()
{
	winsize size{};
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size.ws_col = 80, size.ws_row = 24;
	std::string out;
	auto lines = bars(state_, label_, size.ws_col, size.ws_row, utf8_, Clock::now());
	for (const std::string &text : lines) out += text + "\033[K\n";
	if (drawn_) out = "\033[" + std::to_string(drawn_) + "A\r" + out + "\033[J";
	drawn_ = static_cast<int>(lines.size());
	std::fputs(out.c_str(), stderr);    // in one write, so that nothing flickers
	std::fflush(stderr);
}

std::string Progress::line(const Table &table)
{
	double s = seconds(table.ended - table.begun);
	return table.name + ": " + show_count(table.rows) + (table.rows == 1 ? " row, " : " rows, ") + show_bytes(table.bytes) + " in " +
		show_duration(s) + (table.rows >= 1000 ? " (" + show_rate(table.rows, s) + ")" : "");
}

std::vector<std::string> Progress::bars(const State &state, const std::string &label, int width, int height, bool utf8, Clock::time_point now)
{
	struct Bar { std::string name, first, second; double share; };
	std::vector<const Table *> running, done;
	for (const auto &[name, table] : state.tables) {
		if (table.running) running.push_back(&table);
		else if (table.loads && table.loaded == table.loads) done.push_back(&table);
	}
	std::sort(running.begin(), running.end(), [](auto a, auto b) { return a->begun < b->begun; });
	std::sort(done.begin(), done.end(), [](auto a, auto b) { return a->ended < b->ended; });
	// The last two that are done, above those that run; never so many that the terminal scrolls.
	const std::size_t room = static_cast<std::size_t>(std::max(height - 4, 1)),
	                  shown_done = std::min<std::size_t>(done.size(), running.size() < room ? 2 : 0);
	done.erase(done.begin(), done.end() - static_cast<std::ptrdiff_t>(shown_done));
	if (running.size() + done.size() > room) running.resize(room - done.size());

	std::vector<Bar> all;
	for (const Table *table : done) {
		double s = seconds(table->ended - table->begun);
		all.push_back({table->name, show_count(table->rows) + " rows  " + show_rate(table->rows, s), show_duration(s), 1});
	}
	for (const Table *table : running) {
		double share = std::min(ratio(table->bytes, table->expected), 0.99), s = seconds(now - table->begun);
		all.push_back({table->name, format("%.0f %%  ", share * 100) + show_rate(table->rows, s), left(share, s), share});
	}
	if (state.others)
		all.push_back({"indexes, keys", std::to_string(state.others_done) + " of " + std::to_string(state.others), "",
		    ratio(state.others_done, state.others)});
	const double share = ratio(state.worked, state.work);
	all.push_back({"all", show_bytes(state.bytes) + " of " + show_bytes(state.expected), left(share, seconds(now - state.begun)), share});

	std::size_t name = 0, first = 0, second = 0;
	for (const Bar &one : all)
		name = std::max(name, columns(one.name)), first = std::max(first, columns(one.first)),
		second = std::max(second, columns(one.second));
	const auto wide = static_cast<std::size_t>(std::max(width - 1, 1));
	const std::size_t margin = label.empty() ? 0 : columns(label) + 2, rest = margin + first + second + 6;
	name = std::min(name, wide > rest + 20 ? wide - rest - 10 : std::size_t{10});
	const std::size_t bar_width = wide > rest + name ? std::min<std::size_t>(40, wide - rest - name) : 0;

	std::vector<std::string> lines;
	for (const Bar &one : all) {
		std::string text = margin ? pad(lines.empty() ? label : "", margin) : "";
		text += pad(cut(one.name, name), name) + "  " + bar(one.share, bar_width, utf8) + "  " + pad(one.first, first) + "  " +
		    pad(one.second, second, true);
		lines.push_back(cut(text, wide));
	}
	if (!state.waiting.empty()) lines.push_back(cut(std::string(margin, ' ') + state.waiting, wide));
	return lines;
}

}  // namespace client
