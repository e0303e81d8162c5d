// A map as the pump needs it: from the bytes of a value on the wire to the bytes that replace it, in the COPY format of the step.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include "answers.hpp"

namespace core {

// Whether wire_form() knows the binary form of the type: smallint, integer, bigint, uuid, text and varchar.
bool has_wire_form(const std::string &base_type);
// A key's text form as COPY has it on the wire: binary, or as the text format escapes it (any type).
// Throws std::runtime_error for a binary form that is not known here, or a text that is no value of the type.
std::string wire_form(std::string_view text, const std::string &base_type, bool binary);

class IdMap {
	struct Hash {
		using is_transparent = void;
		std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
	};
	std::unordered_map<std::string, std::string, Hash, std::equal_to<>> pairs_;
	std::optional<std::string> fallback_;
	bool identity_ = false;  // an id that is not in the map stays (maps of folded rows, and of tables that stay)
	std::unordered_set<std::string, Hash, std::equal_to<>> unmatched_;  // but not these: they are other rows in the target

public:
	// `target_type` is the base type of the column; in the binary format it is the source's too.
	IdMap(const Map &map, const std::string &target_type, bool binary);
	// A map of dropped rows to survivors: every other id stays as it is.
	IdMap(const Fold &fold, const std::string &target_type, bool binary);
	// The bytes to write instead; nullopt: the id has no counterpart.
	std::optional<std::string_view> find(std::string_view value) const;
};

}  // namespace core
