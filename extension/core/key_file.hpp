// A file with the masking key, as the client (key_file) and the server (prodsync.key_file) read it: by the same rules.
#pragma once
#include <optional>
#include <string>
#include "mask_key.hpp"

namespace core {

enum class KeyFault { file, open_to_others, content };    // cannot be read, others can read it, holds no key

// From a file that is open. nullopt: `why` says what is wrong, behind "the file ...", without a word of what is in it.
std::optional<MaskKey> read_key(int fd, KeyFault &fault, std::string &why);

}  // namespace core
