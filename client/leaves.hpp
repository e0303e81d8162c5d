// The texts that a value consists of: the value itself, the elements of an array, the strings and numbers of a JSON document, the values of an hstore;
// and of these two the names of members that are data themselves (addresses, numbers, people's names), as detection tells them from names of fields.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace client {

struct Leaf {
	enum class Kind { text, number, name, none };    // none: null, true or false of a document; they keep its leaves countable
	Kind kind = Kind::text;
	std::string key;                           // of an hstore; of a name where it stands, as core::PersonalLeaf has it: $.by_mail (keys)
	std::string text;
	bool operator==(const Leaf &) const = default;
};

// Of a value of type `base` (as in core::Column) in its text form, in their order. What cannot be read as its type is one text.
std::vector<Leaf> leaves(const std::string &base, std::string_view value);

// Whether the text is long enough to tell where it comes from: four characters, and without a letter eight digits. Shorter ones are equal by chance.
bool telling(std::string_view text);

// The leaves of a value that masking changed, and what it made of them. Where both are not made alike all of the first were.
struct Changed {
	std::vector<Leaf> from, to;
};
Changed changed(std::vector<Leaf> before, const std::vector<Leaf> &after);

}  // namespace client
