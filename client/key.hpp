// The masking key: from PRODSYNC_KEY, from key_file, or made up for one run. It stays in this process.
#pragma once
#include <memory>
#include <optional>
#include "core/mask_key.hpp"
#include "config.hpp"
#include "core/mask_key.hpp"
#include "core/plan.hpp"

namespace client {

// What there is. Nothing is thrown: whether a key is needed only the plan knows, and then `problem` says what is wrong with it.
struct KeyFound {
	std::shared_ptr<const core::MaskKey> key;
	core::Problem problem;    // where key is null
};

// `ephemeral`: a random key, whatever the file and the environment say. PRODSYNC_KEY comes before key_file, which is relative to
// the configuration's folder.
KeyFound find_key(const Settings &settings, bool ephemeral);

// Adds the problem where the plan masks by a key and there is none.
void demand_key(const KeyFound &found, core::Plan &plan);

}  // namespace client
