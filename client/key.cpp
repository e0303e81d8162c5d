#include "key.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "core/key_file.hpp"
#include "core/masks.hpp"


namespace client {
namespace {

// set -C: never over a key that is there, for a new one changes every mask.
constexpr const char *how_to_make = "(umask 077; set -C; openssl rand -hex 32 > prodsync.key)    # and: key_file: prodsync.key";
constexpr const char *how_to_mend = "a key is 64 hex digits; take the one of the last refreshes, a new one changes every mask";

KeyFound missing(const std::string &id, const std::string &text, const std::string &fix) { return {nullptr, {id, "key_file", text, fix}}; }

KeyFound from_file(const std::string &name, const std::string &shown)
{
	const int fd = open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return missing("no-key", "the key file " + shown + " cannot be read: " + std::strerror(errno), errno == ENOENT ? how_to_make : how_to_mend);
	core::KeyFault fault{};
	std::string why;
	const auto key = core::read_key(fd, fault, why);
	close(fd);
	if (key) return {std::make_shared<const core::MaskKey>(*key), {}};
	if (fault == core::KeyFault::content) return missing("bad-key", "the masking key in " + shown + " " + why, how_to_mend);
	return fault == core::KeyFault::open_to_others ? missing("open-key", "the key file " + shown + " " + why, "chmod 600 " + shown)
	                                               : missing("no-key", "the key file " + shown + " " + why, how_to_mend);
}

}  // namespace

KeyFound find_key(const Settings &settings, bool ephemeral)
{
	if (ephemeral) return {std::make_shared<const core::MaskKey>(core::MaskKey::random()), {}};
	if (const char *text = std::getenv("PRODSYNC_KEY"); text && *text) {
		std::string why;
		if (const auto key = core::MaskKey::parse(text, why)) return {std::make_shared<const core::MaskKey>(*key), {}};
		return missing("bad-key", "the masking key in PRODSYNC_KEY " + why, how_to_mend);
	}
	if (!settings.key_file.empty()) {
		const auto file = std::filesystem::path(settings.file).parent_path() / settings.key_file;
		return from_file(file.string(), settings.key_file);
	}
	return missing("no-key", "there are columns to mask, and no masking key",
	    std::string(how_to_make) + "\nor a key for this run only, every run masks differently: --ephemeral-key");
}

void demand_key(const KeyFound &found, core::Plan &plan)
{
	if (found.key) return;
	const auto keyed = [](const core::Transfer &column) {
		return column.mask.masks() && core::find_strategy(column.mask.strategy)->keyed;
	};
	for (const auto &table : plan.tables)
		if (std::any_of(table.columns.begin(), table.columns.end(), keyed)) {
			plan.problems.push_back(found.problem);
			return;
		}
}

}  // namespace client
