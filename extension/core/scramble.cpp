// A Feistel network over characters, each a number below the size of its class: six times one half of the text is shifted by a stream drawn
// from the other half. Each time only the half that is left alone says how far, so each time can be undone, and all of it is a permutation,
// whatever the sizes are. The classes are a partition of Unicode, so the classes of what comes out are those of what went in.
#include "scramble.hpp"

#include <algorithm>

#include "mask_tables.hpp"

namespace core {

namespace {

constexpr std::string_view punctuation_marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
constexpr std::uint32_t marks = 0x110000;    // where the numbers of the marks begin, behind all code points
constexpr int moves = -1;

bool continues(std::string_view text, std::size_t at) { return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; }

// The code point that begins at `at`, which is moved behind it; 0: bytes that are no UTF-8.
std::uint32_t take_code_point(std::string_view text, std::size_t &at)
{
	const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + i])); };
	const std::uint32_t lead = byte(0);
	const std::size_t more = lead >= 0xF0 && lead < 0xF5 ? 3 : lead >= 0xE0 && lead < 0xF0 ? 2 : lead >= 0xC2 && lead < 0xE0 ? 1 : 0;
	std::uint32_t point = more == 3 ? lead & 7 : more == 2 ? lead & 15 : lead & 31;
	for (std::size_t i = 1; i <= more; ++i) {
		if (!continues(text, at + i)) return ++at, 0;
		point = point << 6 | (byte(i) & 63);
	}
	constexpr std::uint32_t least[] = {0xffffffff, 0x80, 0x800, 0x10000};
	if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return ++at, 0;
	at += more + 1;
	return point;
}

void append_code_point(std::uint32_t point, std::string &out)
{
	if (point < 0x80) {
		out += static_cast<char>(point);
		return;
	}
	if (point < 0x800) out += static_cast<char>(0xC0 | point >> 6);
	else {
		if (point < 0x10000) out += static_cast<char>(0xE0 | point >> 12);
		else {
			out += static_cast<char>(0xF0 | point >> 18);
			out += static_cast<char>(0x80 | (point >> 12 & 63));
		}
		out += static_cast<char>(0x80 | (point >> 6 & 63));
	}
	out += static_cast<char>(0x80 | (point & 63));
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

struct Class {
	std::uint32_t first, size;    // size 0: it stays
};
Class class_of(std::uint32_t point, bool hex)
{
	const auto within = [&](std::uint32_t first, std::uint32_t last) { return point >= first && point <= last; };
	if (point < 0x80) {
		if (within('0', '9')) return {'0', 10};
		for (const char a : {'a', 'A'}) {
			const auto first = static_cast<std::uint32_t>(a);
			if (!hex && within(first, first + 25)) return {first, 26};
			if (hex && within(first, first + 5)) return {first, 6};
			if (hex && within(first + 6, first + 25)) return {first + 6, 20};
		}
		return {point, 0};
	}
	if (point <= 0xA0) return {point, 0};                                   // controls, a blank
	if (point < 0x100) return point < 0xC0 ? Class{0xA1, 31} : Class{0xC0, 64};    // what LATIN1 has stays in it
	if (within(0x4E00, 0x9FFF)) return {0x4E00, 0x5200};                    // the ideographs
	if (within(0xAC00, 0xD7A3)) return {0xAC00, 0x2BA4};                    // Hangul syllables
	if (within(0xD7A4, 0xD7FF)) return {0xD7A4, 0x5C};
	return {point & ~0xFFu, 256};                                           // about a script
}

}  // namespace

void Scramble::read(std::string_view text, bool punctuation)
{
	units_.clear();
	pattern_.clear();
	shape_.clear();
	groups_ = hex_ && text.find(':') != text.npos && std::any_of(text.begin(), text.end(), is_hex);
	for (std::size_t at = 0; at < text.size();) {
		const std::size_t begin = at;
		const auto c = static_cast<unsigned char>(text[at]);
		std::uint32_t point = c;
		if (c < 0x80) ++at;
		else if (point = take_code_point(text, at); !point) point = '?';    // no UTF-8: what it was is not shown
		Class to = class_of(point, hex_);
		if (groups_ && c >= '0' && c <= '9' && (begin == 0 || !is_hex(text[begin - 1]))) to = c == '0' ? Class{point, 0} : Class{'1', 9};
		if (punctuation && c < 0x80)
			if (const auto mark = punctuation_marks.find(static_cast<char>(c)); mark != punctuation_marks.npos) {
				to = {marks, static_cast<std::uint32_t>(punctuation_marks.size())};
				point = marks + static_cast<std::uint32_t>(mark);
			}
		if (to.size) {
			units_.push_back({to.first, to.size, point - to.first});
			pattern_.push_back(moves);
			shape_ += static_cast<char>(to.first >> 8 | 0x80);
			shape_ += static_cast<char>(to.first);
			if (to.first >= 0x8000) shape_ += static_cast<char>(to.first >> 16);
		} else if (point < 0x80) {
			pattern_.push_back(static_cast<int>(point));
			shape_ += static_cast<char>(point);
		} else
			for (std::size_t i = begin; i < at; ++i) pattern_.push_back(static_cast<unsigned char>(text[i])), shape_ += text[i];
	}
}

void Scramble::shift(std::size_t from, std::size_t to)
{
	// half_ holds the hash of the shape, the round and the half that says how far
	MaskHash seed = mask_hash(half_, key_);
	std::string_view bytes(reinterpret_cast<const char *>(seed.data()), seed.size());
	MaskHash stream{};
	std::size_t left = 0;
	const auto draw = [&]() -> std::uint32_t {
		if (left == 0) {
			stream = mask_hash(bytes, key_);
			seed[0] = static_cast<unsigned char>(seed[0] + 1);
			if (seed[0] == 0) ++seed[1];
			left = 8;
		}
		--left;
		return static_cast<std::uint32_t>(stream[2 * left] << 8 | stream[2 * left + 1]);
	};
	for (std::size_t i = from; i < to; ++i) {
		Unit &unit = units_[i];
		std::uint32_t drawn = draw();
		if (unit.size > 256) drawn = drawn << 16 | draw();
		unit.index = (unit.index + drawn % unit.size) % unit.size;
	}
}

void Scramble::append(std::string_view text, std::string &out)
{
	read(text, false);
	if (units_.empty() && !groups_) read(text, true);
	const std::size_t size = units_.size(), middle = size / 2;
	const MaskHash shape = mask_hash(shape_, key_);
	const auto begin_half = [&](char round) { half_.assign(reinterpret_cast<const char *>(shape.data()), shape.size()) += round; };
	if (size == 1) {    // one character is turned, and never by nothing
		begin_half(0);
		Unit &only = units_.front();
		only.index = static_cast<std::uint32_t>((only.index + 1 + first_word(mask_hash(half_, key_)) % (only.size - 1)) % only.size);
	} else
		for (char round = 1; round <= 6; ++round) {
			const bool first = round % 2;
			begin_half(round);
			for (std::size_t i = first ? middle : 0; i < (first ? size : middle); ++i) {
				half_ += static_cast<char>(units_[i].index);
				if (units_[i].size > 256) half_ += static_cast<char>(units_[i].index >> 8);
			}
			shift(first ? 0 : middle, first ? middle : size);
		}
	auto next = units_.begin();
	for (const int one : pattern_) {
		if (one != moves) {
			out += static_cast<char>(one);
			continue;
		}
		const std::uint32_t point = next->first + next->index;
		++next;
		if (point >= marks) out += punctuation_marks[point - marks];
		else append_code_point(point, out);
	}
}

}  // namespace core
