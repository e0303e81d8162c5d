// Rules for parts of documents whose path names nothing in the samples that were read anyway: most often a path with a typo, which would leave its
// values as they are.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include "core/config.hpp"

namespace client {

class UnmatchedPaths {
	struct Column {
		std::string type;
		std::int64_t samples = 0;
		std::map<std::string, std::int64_t> values;    // by path
	};
	std::map<std::pair<core::Name, std::string>, Column> columns_;

public:
	// A value of a sample, in its text form, possibly cut off at its end; `rule` has parts.
	void see(const core::Name &table, const core::Column &column, const core::MaskRule &rule, std::string_view value);
	// A warning for each column with such paths. Of a column without a value in the samples nothing is said.
	std::vector<core::Problem> warnings() const;
};

}  // namespace client
