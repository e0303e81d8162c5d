#include "key.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>


namespace client {
namespace {

// set -C: never over a key that is there, for a new one changes every mask.
constexpr const char *how_to_make = "(umask 077; set -C; openssl rand -hex 32 > prodsync.key)    # and: key_file: prodsync.key";
constexpr const char *how_to_mend = "a key is 64 hex digits; take the one of the last refreshes, a new one changes every mask";

KeyFound missing(const std::string &id, const std::string &text, const std::string &fix) { return {nullptr, {id, "key_file", text, fix}}; }

KeyFound parsed(std::string_view text, const std::string &from)
{
	std::string why;
	if (auto key = core::MaskKey::parse(text, why)) return {std::make_shared<const core::MaskKey>(*key), {}};
	return missing("bad-key", "the masking key " + from + " " + why, how_to_mend);
}

KeyFound from_file(const std::string &name, const std::string &shown)
{
	const std::string file = "in " + shown;
	const int fd = open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) return missing("no-key", "the key file " + shown + " cannot be read: " + std::strerror(errno), errno == ENOENT ? how_to_make : how_to_mend);
	struct stat status{};
	const bool known = fstat(fd, &status) == 0;
	if (!known || !S_ISREG(status.st_mode)) {
		close(fd);
		return missing("no-key", "the key file " + shown + " is no file", how_to_mend);
	}
	// Whoever reads the key can undo every mask of a small dictionary.
	if (status.st_mode & (S_IRWXG | S_IRWXO)) {
		close(fd);
		return missing("open-key", "the key file " + shown + " can be read by others", "chmod 600 " + shown);
	}
	std::array<char, 256> buffer{};    // more than a key and the white space around it is none
	std::size_t size = 0;
	ssize_t got = 0;
	while (size < buffer.size() && (got = read(fd, buffer.data() + size, buffer.size() - size)) > 0) size += static_cast<std::size_t>(got);
	const int error = got < 0 ? errno : 0;
	close(fd);
	auto found = error ? missing("no-key", "the key file " + shown + " cannot be read: " + std::strerror(error), how_to_mend)
	                   : parsed({buffer.data(), size}, file);
	sodium_memzero(buffer.data(), buffer.size());
	return found;
}

}  // namespace

KeyFound find_key(const Settings &settings, bool ephemeral)
{
	if (ephemeral) return {std::make_shared<const core::MaskKey>(core::MaskKey::random()), {}};
	if (const char *text = std::getenv("PRODSYNC_KEY"); text && *text) return parsed(text, "in PRODSYNC_KEY");
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
