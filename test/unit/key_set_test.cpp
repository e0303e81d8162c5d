#include "catch.hpp"
#include <cstdlib>
#include <limits>
#include <memory>
#include <set>
#include <vector>
#include "key_set.hpp"

using prodsync::KeySet;

namespace {

struct Memory {
	std::vector<std::unique_ptr<void, decltype(&std::free)>> given;
	std::size_t bytes = 0;
	static void *get(void *where, std::size_t bytes)
	{
		auto *self = static_cast<Memory *>(where);
		self->bytes += bytes;
		return self->given.emplace_back(std::calloc(1, bytes), &std::free).get();
	}
};

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min(), highest = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("a set of keys holds what was added, and its neighbours not")
{
	Memory memory;
	KeySet keys(Memory::get, &memory, std::size_t{1} << 30);
	CHECK_FALSE(keys.contains(0));
	const std::set<std::int64_t> added{lowest, lowest + 65535, lowest + 65536, -65537, -65536, -65535, -1, 0, 1, 63, 64, 65535, 65536, 2147483647, 2147483648, highest - 65536, highest};
	for (std::int64_t key : added) REQUIRE(keys.add(key));
	for (std::int64_t key : added) {
		CHECK(keys.contains(key));
		if (key != highest) CHECK(keys.contains(key + 1) == added.contains(key + 1));
		if (key != lowest) CHECK(keys.contains(key - 1) == added.contains(key - 1));
		if (key != lowest && key != highest) CHECK(keys.contains(key ^ (std::int64_t{1} << 40)) == added.contains(key ^ (std::int64_t{1} << 40)));
	}
	REQUIRE(keys.add(1));    // again
	std::multiset<std::int64_t> seen;
	keys.each([&](std::int64_t key) { seen.insert(key); });
	CHECK(seen == std::multiset<std::int64_t>(added.begin(), added.end()));
}

TEST_CASE("a set of keys survives its table's growth, in any order")
{
	Memory memory;
	KeySet keys(Memory::get, &memory, std::size_t{1} << 30);
	const auto key = [](std::int64_t i) { return (i * 7919 % 5000 - 2500) * 65536 + i % 65536; };
	std::int64_t fitted = 0;
	for (std::int64_t i = 0; i < 5000; ++i) fitted += keys.add(key(i));
	CHECK(fitted == 5000);
	std::int64_t found = 0, near = 0;
	for (std::int64_t i = 0; i < 5000; ++i) found += keys.contains(key(i)), near += keys.contains(key(i) ^ 1) || keys.contains(key(i) + 5000 * std::int64_t{65536});
	CHECK(found == 5000);
	CHECK(near == 0);
}

TEST_CASE("close keys take a bit each, distant ones a block")
{
	Memory dense, sparse;
	KeySet close(Memory::get, &dense, std::size_t{1} << 30), far(Memory::get, &sparse, std::size_t{1} << 30);
	std::int64_t fitted = 0;
	for (std::int64_t i = 1; i <= 1'000'000; ++i) fitted += close.add(i);
	CHECK(fitted == 1'000'000);
	for (std::int64_t i = 1; i <= 100; ++i) REQUIRE(far.add(i << 22));
	CHECK(close.bytes() < 140'000);
	CHECK(far.bytes() >= 100 * KeySet::block_bytes);
	CHECK(close.bytes() == dense.bytes);
	CHECK(far.bytes() == sparse.bytes);
}

TEST_CASE("a set of keys never takes more than its limit")
{
	for (std::size_t limit : {std::size_t{0}, std::size_t{100}, KeySet::block_bytes, std::size_t{100'000}, std::size_t{1'000'000}}) {
		Memory memory;
		KeySet keys(Memory::get, &memory, limit);
		std::int64_t fitted = 0;
		while (fitted < 1000 && keys.add(fitted << 16)) ++fitted;
		CHECK(fitted < 1000);
		CHECK(fitted <= static_cast<std::int64_t>(limit / KeySet::block_bytes));
		CHECK(fitted * 2 >= static_cast<std::int64_t>(limit / KeySet::block_bytes) - 2);
		CHECK(memory.bytes <= limit);
		CHECK(keys.bytes() == memory.bytes);
		if (fitted) CHECK(keys.add(17));    // in a block that is there
		CHECK_FALSE(keys.contains(fitted << 16));
	}
}
