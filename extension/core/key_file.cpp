#include "key_file.hpp"

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace core {

std::optional<MaskKey> read_key(int fd, KeyFault &fault, std::string &why)
{
	struct stat status{};
	fault = KeyFault::file;
	why = "is no file";
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
	// Whoever reads the key can undo every mask of a small dictionary.
	fault = KeyFault::open_to_others;
	why = "can be read by others";
	if (status.st_mode & (S_IRWXG | S_IRWXO)) return std::nullopt;
	std::array<char, 256> buffer{};    // a key and the white space around it are less
	std::size_t size = 0;
	ssize_t got = 0;
	while (size < buffer.size() && (got = read(fd, buffer.data() + size, buffer.size() - size)) > 0) size += static_cast<std::size_t>(got);
	std::optional<MaskKey> key;
	if (got < 0) {
		fault = KeyFault::file;
		why = "cannot be read: " + std::generic_category().message(errno);
	} else {
		fault = KeyFault::content;
		key = MaskKey::parse({buffer.data(), size}, why);
	}
	sodium_memzero(buffer.data(), buffer.size());
	return key;
}

}  // namespace core
