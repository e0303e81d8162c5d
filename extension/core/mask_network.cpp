// Addresses of machines, and UUIDs: numbers of so many bits, some of which say what kind it is and stay. FF1 in radix 2 permutes the others.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "catalog.hpp"
#include "digit_cipher.hpp"
#include "mask_tables.hpp"
#include "scramble.hpp"

namespace core {

namespace {

int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

class BitMasker : public Masker {
protected:
	DigitCipher cipher_;
	Scramble scramble_;

public:
	explicit BitMasker(const MaskSubkey &key, bool hex = false) : cipher_(key), scramble_(mask_hash("scramble", cipher_.other_key()), hex) {}
};

// ---- values of hex digits: uuid, mac ----

struct HexValue {
	Wide number = 0;
	int digits = 0;
	bool upper = false;
};

// Hex digits with the layout's characters between them ("x" in it: a digit), in one case.
bool read_hex(std::string_view text, std::string_view layout, HexValue &value)
{
	value = {};
	if (text.size() != layout.size()) return false;
	bool lower = false;
	for (std::size_t i = 0; i < text.size(); ++i) {
		if (layout[i] != 'x') {
			if (text[i] != layout[i]) return false;
			continue;
		}
		const int digit = hex_digit(text[i]);
		if (digit < 0) return false;
		if (digit > 9) (text[i] >= 'a' ? lower : value.upper) = true;
		value.number = value.number << 4 | static_cast<unsigned>(digit);
		++value.digits;
	}
	return !(lower && value.upper);
}

void append_layout(Wide number, int digits, std::string_view layout, bool upper, std::string &out)
{
	// A name of its own: GCC 12 evaluates the index of (a ? "..." : "...")[index] in one of the two cases only.
	const char *const alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	for (const char c : layout)
		if (c != 'x') out += c;
		else out += alphabet[static_cast<unsigned>(number >> 4 * --digits) & 15];
}

bool has_letter(Wide number, int digits)
{
	for (; digits--; number >>= 4)
		if ((number & 15) > 9) return true;
	return false;
}

// One of the layouts, the bits of `kept` as they are and the others permuted. In capitals is a value that has a letter: so that it stays apart
// from the others, its mask has one too.
template <std::size_t Layouts>
class HexMasker : public BitMasker {
	const std::array<std::string_view, Layouts> &layouts_;

protected:
	virtual Wide kept(int digits) const = 0;

	// The bits that are not kept lie in a few runs; put together they are one number.
	Wide permuted(Wide number, Wide mask, int digits, std::string_view context)
	{
		Wide gathered = 0, out = number & mask;
		int bits = 0;
		const auto each_run = [&](auto use) {
			for (int from = 0, to = 0; from < 4 * digits; from = to + 1) {
				for (to = from; to < 4 * digits && !(mask >> to & 1);) ++to;
				if (to > from) use(from, (Wide{1} << (to - from)) - 1, to - from);
			}
		};
		each_run([&](int from, Wide ones, int size) { gathered |= (number >> from & ones) << bits, bits += size; });
		gathered = cipher_.encrypt_bits(static_cast<unsigned>(bits), gathered, context);
		each_run([&](int from, Wide ones, int size) { out |= (gathered & ones) << from, gathered >>= size; });
		return out;
	}

public:
	HexMasker(const MaskSubkey &key, const std::array<std::string_view, Layouts> &layouts) : BitMasker(key), layouts_(layouts) {}

	void write(std::string_view value, Hash, std::string &out) override
	{
		HexValue read;
		for (const std::string_view layout : layouts_) {
			if (!read_hex(value, layout, read)) continue;
			std::array<char, 16> context{};
			const Wide mask = kept(read.digits);
			for (std::size_t i = 0; i < context.size(); ++i) context[i] = static_cast<char>((read.number & mask) >> 8 * i);
			do read.number = permuted(read.number, mask, read.digits, {context.data(), context.size()});
			while (read.upper && !has_letter(read.number, read.digits));
			append_layout(read.number, read.digits, layout, read.upper, out);
			return;
		}
		scramble_.append(value, out, [&](std::string_view other) {
			return std::any_of(layouts_.begin(), layouts_.end(), [&](std::string_view layout) { return read_hex(other, layout, read); });
		});
	}
};

constexpr std::array<std::string_view, 3> uuid_layouts = {
    "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}"};

// RFC 9562: version and variant stay.
struct Uuid : HexMasker<3> {
	explicit Uuid(const MaskSubkey &key) : HexMasker(key, uuid_layouts) {}
	Wide kept(int) const override { return Wide{0xF000} << 64 | Wide{3} << 62; }
};

constexpr std::array<std::string_view, 9> mac_layouts = {"xx:xx:xx:xx:xx:xx", "xx-xx-xx-xx-xx-xx", "xxxxxxxxxxxx", "xxxx.xxxx.xxxx", "xxxxxx:xxxxxx",
    "xxxxxx-xxxxxx", "xx:xx:xx:xx:xx:xx:xx:xx", "xx-xx-xx-xx-xx-xx-xx-xx", "xxxxxxxxxxxxxxxx"};

// IEEE 802: that it is a group's or locally administered stays; of the others the vendor may.
class Mac : public HexMasker<9> {
	bool vendor_;

public:
	Mac(const MaskRule &rule, const MaskSubkey &key) : HexMasker(key, mac_layouts), vendor_(rule.text("keep") == "vendor") {}
	Wide kept(int digits) const override
	{
		const int bits = 4 * digits;
		return (vendor_ ? Wide{0xffffff} << (bits - 24) : Wide{0}) | Wide{3} << (bits - 8);
	}
};

// ---- ip ----

struct Address {
	Wide number = 0;
	int bits = 0;       // 32, 128
	int prefix = -1;    // behind a slash; -1: there is none
};

void append_address(const Address &address, std::string &out)
{
	std::array<unsigned char, 16> bytes{};
	for (int i = 0; i < address.bits / 8; ++i)
		bytes[static_cast<std::size_t>(i)] = static_cast<unsigned char>(address.number >> (address.bits - 8 - 8 * i));
	char buffer[INET6_ADDRSTRLEN];
	out += inet_ntop(address.bits == 32 ? AF_INET : AF_INET6, bytes.data(), buffer, sizeof buffer);
	if (address.prefix >= 0) out += '/' + std::to_string(address.prefix);
}

// An address in any spelling.
bool read_address(std::string_view text, Address &address)
{
	address = {};
	const std::size_t slash = std::min(text.find('/'), text.size());
	char buffer[INET6_ADDRSTRLEN] = {};
	if (slash == 0 || slash >= sizeof buffer) return false;
	text.copy(buffer, slash);
	std::array<unsigned char, 16> bytes{};
	address.bits = text.substr(0, slash).find(':') == text.npos ? 32 : 128;
	if (inet_pton(address.bits == 32 ? AF_INET : AF_INET6, buffer, bytes.data()) != 1) return false;
	for (int i = 0; i < address.bits / 8; ++i) address.number = address.number << 8 | bytes[static_cast<std::size_t>(i)];
	if (slash == text.size()) return true;
	const auto [end, error] = std::from_chars(text.data() + slash + 1, text.data() + text.size(), address.prefix);
	return error == std::errc() && end == text.data() + text.size() && address.prefix >= 0 && address.prefix <= address.bits;
}

// Capitals, and zeros in front of a group: told without reading the address.
bool spelled_otherwise(std::string_view text)
{
	bool begins = true;
	for (std::size_t i = 0; i < text.size(); ++i) {
		if ((text[i] >= 'A' && text[i] <= 'F') || (begins && text[i] == '0' && i + 1 < text.size() && hex_digit(text[i + 1]) >= 0)) return true;
		begins = text[i] == ':';
	}
	return false;
}

// As the server spells it: of those, and only of those, each text is another address.
bool canonical(std::string_view text, const Address &address, std::string &room)
{
	room.clear();
	append_address(address, room);
	return room == text;
}

class Ip : public BitMasker {
	bool keep_network_, only_4_;
	std::string room_;

	bool is_address(std::string_view text, Address &address)
	{
		return !spelled_otherwise(text) && read_address(text, address) && canonical(text, address, room_) && !(only_4_ && (address.bits != 32 || address.prefix >= 0));
	}

public:
	Ip(const MaskRule &rule, const MaskSubkey &key)
	    : BitMasker(key, true), keep_network_(rule.text("keep") == "network"), only_4_(rule.number("version", 0) == 4)
	{}

	void write(std::string_view value, Hash, std::string &out) override
	{
		Address address;
		if (!is_address(value, address)) {
			// Other spellings of an address mostly become other spellings of one, for a to f stay hex digits.
			scramble_.append(value, out, [&](std::string_view other) { return is_address(other, address); });
			return;
		}
		// 10.1.0.0/16 is a network, 10.1.0.7/16 a host in it: a network becomes a network, a host a host.
		const int prefix = address.prefix < 0 ? address.bits : address.prefix, behind = address.bits - prefix;
		const auto is_host = [&] { return behind > 0 && (behind == 128 ? address.number : address.number & ((Wide{1} << behind) - 1)) != 0; };
		const bool host = is_host();
		const int first = keep_network_ ? address.bits == 32 ? 24 : 64 : 0, last = host ? address.bits : prefix;    // the bits to permute
		if (first < last) {
			const int shift = address.bits - last, bits = last - first;
			const Wide mask = bits == 128 ? ~Wide{0} : ((Wide{1} << bits) - 1) << shift, around = address.number & ~mask;
			std::array<char, 18> context{static_cast<char>(address.bits), static_cast<char>(bits)};
			for (std::size_t i = 0; i < 16; ++i) context[2 + i] = static_cast<char>(around >> 8 * i);
			do
				address.number = around |
				    cipher_.encrypt_bits(
				        static_cast<unsigned>(bits), (address.number & mask) >> shift, {context.data(), context.size()})
				        << shift;
			while (host != is_host());
		}
		append_address(address, out);
	}
};

std::string version_of_text(const MaskRule &rule, const Column &column)
{
	return rule.number("version", 0) && kind_of_type(column.base) != ValueKind::text ? "takes version only for columns of text" : "";
}

}  // namespace

std::vector<Strategy> network_strategies()
{
	using enum ValueKind;
	// A mask may be longer than its address: 15 characters of version 4, 39 of version 6, a slash and up to three digits.
	return {
	    {.name = "uuid",
	        .gives = "a UUID of the same version",
	        .takes = {text, uuid},
	        .keyed = true,
	        .options = {},
	        .width = width_of<as_long_as_the_value>,
	        .distinct = always_distinct,
	        .make = masker<Uuid>,
	        .in_form = any_text,
	        .recognizable = false,
	        .of_the_value = true},
	    {.name = "ip",
	        .gives = "an address of the same version",
	        .takes = {text, network},
	        .keyed = true,
	        .options = {{.name = "keep", .kind = MaskOption::Kind::word, .words = {"network"}},
	            {.name = "version", .kind = MaskOption::Kind::number, .numbers = {4}}},
	        .width = [](const MaskRule &rule) { return rule.number("version", 0) == 4 ? 15 : 43; },
	        .distinct = always_distinct,
	        .make = masker<Ip>,
	        .in_form = any_text,
	        .recognizable = false,
	        .unfit = version_of_text,
	        .as_long_too = true,
	        .of_the_value = true},
	    {.name = "mac",
	        .gives = "a MAC address of the same length",
	        .takes = {text, mac},
	        .keyed = true,
	        .options = {{.name = "keep", .kind = MaskOption::Kind::word, .words = {"vendor"}}},
	        .width = width_of<as_long_as_the_value>,
	        .distinct = always_distinct,
	        .make = masker<Mac>,
	        .in_form = any_text,
	        .recognizable = false,
	        .of_the_value = true},
	};
}

}  // namespace core
