// Paths into JSON documents, as rules name them: $.contacts[*].email, $['home address'].street, $..phone. The part of JSONPath (RFC 9535) that names
// places: member, element, wildcard, and .. for any depth.
#pragma once
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace core {

class JsonPath {
public:
	static constexpr std::size_t most_segments = 62;
	// nullopt: not such a path; `why` says what is wrong, behind "the path ...".
	static std::optional<JsonPath> parse(std::string_view text, std::string &why);

	// Which beginnings of the path a place in the document matches: bit i, its first i segments.
	using State = std::bitset<most_segments + 2>;
	State root() const { return State().set(0); }
	State member(const State &of_parent, std::string_view key) const;
	State element(const State &of_parent, std::size_t index) const;
	// Whether the path says this key there: it is not reached by * or .. alone.
	bool says(const State &of_parent, std::string_view key) const;
	bool matched(const State &state) const { return state.test(segments_.size()); }
	// Whether every place that the other path names is one of this path's, or below one.
	bool covers(const JsonPath &place) const;
	// Whether it can name a member of the whole: one segment that is no element.
	bool names_members() const { return segments_.empty() || (segments_.size() == 1 && segments_[0].kind != Segment::Kind::element); }

private:
	struct Segment {
		enum class Kind { member, element, any } kind = Kind::member;
		std::string key;
		std::size_t index = 0;
		bool at_any_depth = false;    // ..
	};
	std::vector<Segment> segments_;

	template <class Fits>
	State below(const State &of_parent, Fits fits) const;
};

}  // namespace core
