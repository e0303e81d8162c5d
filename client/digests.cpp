#include "digests.hpp"
#include <sodium.h>
#include <algorithm>
#include <cstring>
#include <iterator>
#include "error.hpp"

namespace client {

Digests::Digests(std::size_t sets, std::size_t most) : most_(std::max<std::size_t>(most, 1024)), parts_{{0, 1}}, raw_(sets), honest_(sets)
{
	static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);
	if (sodium_init() < 0) throw Error(exit_other, "no random numbers are to be had");
	crypto_shorthash_keygen(key_.data());
}

void Digests::Set::sort()
{
	std::sort(values.begin(), values.end());
	values.erase(std::unique(values.begin(), values.end()), values.end());
}

std::uint64_t Digests::digest(std::string_view value) const
{
	std::uint64_t out = 0;
	unsigned char bytes[crypto_shorthash_BYTES];
	crypto_shorthash(bytes, reinterpret_cast<const unsigned char *>(value.data()), value.size(), key_.data());
	std::memcpy(&out, bytes, sizeof out);
	return out;
}

bool Digests::next()
{
	if (parts_.empty()) return false;
	part_ = parts_.back();
	parts_.pop_back();
	for (auto *sets : {&raw_, &honest_})
		for (Set &set : *sets) set.values.clear();
	held_ = 0;
	++passes_;
	return true;
}

void Digests::add(Set &set, std::string_view value)
{
	const std::uint64_t one = digest(value);
	if (!part_.takes(one)) return;
	if (held_ >= most_) {
		make_room();
		if (!part_.takes(one)) return;
	}
	set.values.push_back(one);
	++held_;
}

// Values that are there twice go first. Then half of what is left, again and again until there is room for as many again: else this would be done
// for every value.
void Digests::make_room()
{
	for (bool first = true; first || held_ > most_ / 2; first = false) {
		if (!first) {
			parts_.push_back({part_.number + part_.of, part_.of * 2});
			part_.of *= 2;
		}
		held_ = 0;
		for (auto *sets : {&raw_, &honest_})
			for (Set &set : *sets) {
				if (first) set.sort();
				else std::erase_if(set.values, [this](std::uint64_t one) { return !part_.takes(one); });
				held_ += set.values.size();
			}
	}
}

void Digests::settle()
{
	for (std::size_t i = 0; i < raw_.size(); ++i) {
		raw_[i].sort();
		honest_[i].sort();
		// In place: what is left stands where it was read or before.
		auto &raw = raw_[i].values;
		const auto &honest = honest_[i].values;
		auto at = honest.begin();
		std::erase_if(raw, [&](std::uint64_t one) {
			at = std::lower_bound(at, honest.end(), one);
			return at != honest.end() && *at == one;
		});
		honest_[i].values.clear();
	}
}

bool Digests::has(std::size_t set, std::string_view value) const
{
	const std::uint64_t one = digest(value);
	return part_.takes(one) && std::binary_search(raw_[set].values.begin(), raw_[set].values.end(), one);
}

}  // namespace client
