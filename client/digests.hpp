// Sets of values in bounded memory: of each value 64 bits of SipHash-2-4 under a key that is made up here and forgotten with the object.
//
// Where more are to be kept than there is room for, only a part of them is (those whose digest, taken modulo a power of two, is this part's number); what
// was left out is another part, for another pass over the same values. So every value is in exactly one part, and every answer is exact but for two
// values with one digest: odds of 2e-5 that this happens at all among 20 million values looked up in 20 million.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace client {

class Digests {
public:
	// `sets` of them; at most `most` digests at a time. Both kinds of values count.
	Digests(std::size_t sets, std::size_t most);

	// Begins a pass with empty sets; false: there is none left.
	bool next();
	void put(std::size_t set, std::string_view value) { add(raw_[set], value); }
	// This value is honest: it does not count, though it was (or will be) put.
	void except(std::size_t set, std::string_view value) { add(honest_[set], value); }
	// All values have been put.
	void settle();
	// Whether this pass has the value.
	bool has(std::size_t set, std::string_view value) const;
	std::size_t size(std::size_t set) const { return raw_[set].values.size(); }
	int passes() const { return passes_; }

private:
	struct Part {
		std::uint64_t number, of;    // a power of two
		bool takes(std::uint64_t digest) const { return (digest & (of - 1)) == number; }
	};
	struct Set {
		std::vector<std::uint64_t> values;
		void sort();
	};
	std::array<unsigned char, 16> key_{};
	std::size_t most_, held_ = 0;
	int passes_ = 0;
	Part part_{0, 1};
	std::vector<Part> parts_;
	std::vector<Set> raw_, honest_;

	std::uint64_t digest(std::string_view value) const;
	void add(Set &set, std::string_view value);
	void make_room();
};

}  // namespace client
