// The masking of one column of a COPY, as the rewriter takes it.
#pragma once
#include <memory>
#include <string>
#include <vector>
#include "core/catalog.hpp"
#include "core/mask_key.hpp"
#include "core/plan.hpp"
#include "rewrite.hpp"

namespace client {

// For the field at `at`. `beside`: what core::read_beside() has behind the step's columns. A mask of its own for each call: it is not for several threads.
// What it replaces by throws Error (exit 6) for a value that the rule cannot mask; the value is not in it.
Replacement masked_column(std::size_t at, const core::Transfer &transfer, const core::Step &step, const std::vector<std::string> &beside,
	const core::MaskKey *key, const core::Catalog &source, const core::Catalog &target);

}  // namespace client
