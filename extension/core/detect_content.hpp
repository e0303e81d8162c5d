// What sampled values of a column are: each is looked at once, counted, and forgotten. What is left are counts and, of JSON, paths of keys.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>
#include "catalog.hpp"
#include "detect_forms.hpp"
#include "detect_names.hpp"

namespace core {

struct ContentSign {
	Category category;
	double confidence;
	std::string evidence;    // "98 of 100 samples are e-mail addresses": never a value
	std::string path;        // in JSON: $.contacts[*].email; else empty
};

// A key of a document that can be the name of something, and is no value itself.
bool can_be_name(std::string_view key);

class ColumnContent {
public:
	enum class Shape { text, array, document };

	explicit ColumnContent(Shape shape = Shape::text) : shape_(shape) {}
	static Shape shape_of(const Column &);
	// A value in its text form, UTF-8, possibly cut off at its end.
	void add(std::string_view value);
	std::int64_t samples() const { return samples_; }
	// What was found, surest first; of JSON, one for each path.
	std::vector<ContentSign> signs() const;

private:
	struct Counts {
		std::int64_t values = 0;
		std::array<std::int64_t, forms> of{};
		std::set<std::size_t> different;    // hashes of the first few different values
		void add(std::string_view value);
		void add(const Counts &);
	};
	struct Leaves;    // of a JSON document, to their paths
	struct Members {  // of the objects in one place
		std::int64_t objects = 0;
		std::map<std::string, std::int64_t> keys;    // how many of them have it; bounded
	};

	void add_json(std::string_view value);
	static void judge(const Counts &, const std::string &path, std::vector<ContentSign> &);
	bool is_name(const std::string &place, const std::string &key) const;
	std::string shown_path(const std::string &place) const;

	Shape shape_;
	std::int64_t samples_ = 0;
	Counts whole_;
	// By place: a path in which a separator stands before each key, which is shown only where it turns out to be a name. Bounded.
	std::map<std::string, Counts> paths_;    // of JSON's leaves
	std::map<std::string, Category> keys_;   // whose last key says what it holds, and that hold something
	std::map<std::string, Members> members_;
};

// By column; and by table.
using TableContent = std::map<std::string, ColumnContent>;
using Contents = std::map<Name, TableContent>;

}  // namespace core
