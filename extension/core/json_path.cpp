#include "json_path.hpp"

#include <charconv>

namespace core {

namespace {

bool of_a_name(char c)
{
	const auto byte = static_cast<unsigned char>(c);
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || byte >= 0x80;
}

}  // namespace

std::optional<JsonPath> JsonPath::parse(std::string_view text, std::string &why)
{
	JsonPath path;
	const auto fail = [&](const char *reason) {
		why = reason;
		return std::nullopt;
	};
	if (!text.starts_with('$')) return fail("must begin with $, as in $.contacts[*].email");
	text.remove_prefix(1);
	while (!text.empty()) {
		Segment segment;
		if (text.starts_with("..")) {
			segment.at_any_depth = true;
			text.remove_prefix(text.starts_with("..[") ? 2 : 1);    // "..key" goes on as ".key"
		}
		if (text.starts_with(".*")) {
			segment.kind = Segment::Kind::any;
			text.remove_prefix(2);
		} else if (text.starts_with('.')) {
			text.remove_prefix(1);
			std::size_t size = 0;
			while (size < text.size() && of_a_name(text[size])) ++size;
			if (!size) return fail("needs a name behind the dot; other characters than letters, digits, _ and - are written $['a name']");
			segment.key = text.substr(0, size);
			text.remove_prefix(size);
		} else if (text.starts_with('[')) {
			text.remove_prefix(1);
			if (text.starts_with('*')) {
				segment.kind = Segment::Kind::any;
				text.remove_prefix(1);
			} else if (text.starts_with('\'') || text.starts_with('"')) {
				const char quote = text.front();
				std::size_t at = 1;
				for (; at < text.size() && text[at] != quote; ++at) {
					if (text[at] == '\\' && at + 1 < text.size()) ++at;
					segment.key += text[at];
				}
				if (at >= text.size()) return fail("has a quote that does not end");
				text.remove_prefix(at + 1);
			} else {
				segment.kind = Segment::Kind::element;
				const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), segment.index);
				if (error != std::errc() || end == text.data()) return fail("needs a number, * or a quoted name between brackets");
				text.remove_prefix(static_cast<std::size_t>(end - text.data()));
			}
			if (!text.starts_with(']')) return fail("has a bracket that does not close");
			text.remove_prefix(1);
		} else
			return fail("goes on with something else than . or [");
		path.segments_.push_back(std::move(segment));
		if (path.segments_.size() > most_segments) return fail("is too long");
	}
	return path;
}

template <class Fits>
JsonPath::State JsonPath::below(const State &of_parent, Fits fits) const
{
	State state;
	for (std::size_t i = 0; i < segments_.size(); ++i) {
		if (!of_parent.test(i)) continue;
		if (segments_[i].at_any_depth) state.set(i);
		if (segments_[i].kind == Segment::Kind::any || fits(segments_[i])) state.set(i + 1);
	}
	if (matched(of_parent)) state.set(segments_.size());    // what is below a place that the path names belongs to it
	return state;
}

JsonPath::State JsonPath::member(const State &of_parent, std::string_view key) const
{
	return below(of_parent, [&](const Segment &segment) { return segment.kind == Segment::Kind::member && segment.key == key; });
}

JsonPath::State JsonPath::element(const State &of_parent, std::size_t index) const
{
	return below(of_parent, [&](const Segment &segment) { return segment.kind == Segment::Kind::element && segment.index == index; });
}

bool JsonPath::says(const State &of_parent, std::string_view key) const
{
	for (std::size_t i = 0; i < segments_.size(); ++i)
		if (of_parent.test(i) && segments_[i].kind == Segment::Kind::member && segments_[i].key == key) return true;
	return false;
}

bool JsonPath::covers(const JsonPath &place) const
{
	State state = root();
	for (const Segment &segment : place.segments_) {
		if (segment.at_any_depth) return matched(state);
		// any: a member that has no name here is covered by wildcards alone
		state = segment.kind == Segment::Kind::element ? element(state, segment.index)
		    : segment.kind == Segment::Kind::member    ? member(state, segment.key)
		                                               : below(state, [](const Segment &) { return false; });
	}
	return matched(state);
}

}  // namespace core
