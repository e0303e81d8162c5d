// A set of 64-bit keys as bitmaps. No server header: the unit tests use it too.
//
// Ids that a sequence gave lie close together, so keys are kept in blocks of 65,536, a bit each: five million ids take 0.6 MB, and looking one up
// costs a shift and a load, most often in the block that was used last. Keys far from each other take a block of 8 kB each in the worst case, so
// whoever fills a set names a limit and has another way for what does not fit.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>

namespace prodsync {

class KeySet {
public:
	// Zeroed memory that is never given back one by one. It may leave by longjmp, so nothing in here has a destructor.
	using Allocate = void *(*)(void *where, std::size_t bytes);
	static constexpr std::size_t block_bytes = 65536 / 8;

	// `limit` in bytes, for tables and blocks together.
	KeySet(Allocate allocate, void *where, std::size_t limit) : allocate_(allocate), where_(where), limit_(limit) {}

	// false where the limit does not allow it; the set is incomplete from then on.
	bool add(std::int64_t key)
	{
		std::uint64_t *bits = find(key >> 16);
		if (!bits && !(bits = make(key >> 16))) return false;
		bits[word(key)] |= bit(key);
		return true;
	}

	bool contains(std::int64_t key) const
	{
		const std::uint64_t *bits = find(key >> 16);
		return bits && (bits[word(key)] & bit(key));
	}

	std::size_t bytes() const { return bytes_; }

	// Calls f(key) for every key, block by block, in no order that means something.
	template <class F> void each(F f) const
	{
		for (std::size_t slot = 0; slot < slots_; ++slot) {
			if (!table_[slot].bits) continue;
			for (std::size_t w = 0; w < block_bytes / sizeof(std::uint64_t); ++w)
				for (std::uint64_t left = table_[slot].bits[w]; left; left &= left - 1)
					f(table_[slot].block * 65536 + static_cast<std::int64_t>(w * 64) + std::countr_zero(left));
		}
	}

private:
	struct Slot {
		std::int64_t block;
		std::uint64_t *bits;    // null: the slot is free
	};

	Allocate allocate_;
	void *where_;
	std::size_t limit_, bytes_ = 0;
	Slot *table_ = nullptr;     // open addressing, at most half full
	std::size_t slots_ = 0, used_ = 0;
	mutable std::int64_t last_block_ = 0;
	mutable std::uint64_t *last_ = nullptr;

	static std::size_t word(std::int64_t key) { return static_cast<std::size_t>((key & 0xffff) >> 6); }
	static std::uint64_t bit(std::int64_t key) { return std::uint64_t{1} << (key & 63); }

	// Where the block is, or where it would go. The multiplier is 2^64 divided by the golden ratio (Knuth, 6.4): it takes neighbours apart.
	static std::size_t place(const Slot *table, std::size_t slots, std::int64_t block)
	{
		const std::uint64_t hash = static_cast<std::uint64_t>(block) * 0x9e3779b97f4a7c15U;
		std::size_t slot = static_cast<std::size_t>(hash >> 32) & (slots - 1);
		while (table[slot].bits && table[slot].block != block) slot = (slot + 1) & (slots - 1);
		return slot;
	}

	std::uint64_t *find(std::int64_t block) const
	{
		if (last_ && block == last_block_) return last_;
		if (!slots_) return nullptr;
		std::uint64_t *bits = table_[place(table_, slots_, block)].bits;
		if (bits) last_block_ = block, last_ = bits;
		return bits;
	}

	void *take(std::size_t bytes)
	{
		if (bytes > limit_ - bytes_) return nullptr;
		bytes_ += bytes;
		return allocate_(where_, bytes);
	}

	std::uint64_t *make(std::int64_t block)
	{
		if (used_ * 2 >= slots_) {
			const std::size_t slots = slots_ ? slots_ * 2 : 16;
			Slot *table = static_cast<Slot *>(take(slots * sizeof(Slot)));
			if (!table) return nullptr;
			for (std::size_t slot = 0; slot < slots_; ++slot)
				if (table_[slot].bits) table[place(table, slots, table_[slot].block)] = table_[slot];
			table_ = table, slots_ = slots;
		}
		std::uint64_t *bits = static_cast<std::uint64_t *>(take(block_bytes));
		if (!bits) return nullptr;
		table_[place(table_, slots_, block)] = {block, bits};
		++used_;
		last_block_ = block, last_ = bits;
		return bits;
	}
};

}  // namespace prodsync
