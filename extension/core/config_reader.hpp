// Reads keys and values of the configuration. Whatever is not as it should be becomes a problem with its place; the value is then as if it were not there.
#pragma once
#include <initializer_list>
#include <string>
#include <vector>
#include "config.hpp"
#include "words.hpp"

namespace core {

using Keys = std::initializer_list<const char *>;

struct Reader {
	std::vector<Problem> &problems;

	void problem(const char *id, const std::string &object, const std::string &text, const std::string &fix = "") const
	{
		problems.push_back({id, object, text, fix});
	}

	void unsupported(const std::string &object, const std::string &what, const std::string &fix) const
	{
		problem("not-supported", object, what + " is not supported by this version", fix);
	}

	// The value of a key, or nullptr where it is missing or (`key:` with nothing behind it) null.
	static const json *get(const json &j, const char *key)
	{
		auto it = j.find(key);
		return it == j.end() || it->is_null() ? nullptr : &*it;
	}

	bool mapping(const json &j, const std::string &path, Keys known) const
	{
		if (!j.is_object()) {
			problem("wrong-type", path, path + " must be a mapping", "");
			return false;
		}
		std::vector<std::string> names(known.begin(), known.end());
		for (const auto &[key, ignored] : j.items()) {
			bool found = false;
			for (const auto &name : names) found = found || name == key;
			std::string all;
			for (const auto &name : names) all += (all.empty() ? "" : ", ") + name;
			if (!found)
				problem("unknown-key", path.empty() ? key : path + "." + key,
				    "unknown key \"" + key + "\"" + (path.empty() ? "" : " in " + path) + did_you_mean(key, names),
				    "known are: " + all);
		}
		return true;
	}

	std::string text(const json &j, const std::string &path, const char *key, bool required) const
	{
		std::string where = path.empty() ? key : path + "." + key;
		const json *v = get(j, key);
		if (v && v->is_string() && !v->get<std::string>().empty()) return v->get<std::string>();
		if (v)
			problem("wrong-type", where, where + " must be a text", "");
		else if (required)
			problem("missing-key", where, path + " needs " + key, "");
		return "";
	}

	std::vector<std::string> texts(const json &j, const std::string &path, const char *key) const
	{
		std::vector<std::string> out;
		std::string where = path.empty() ? key : path + "." + key;
		const json *v = get(j, key);
		if (!v) return out;
		bool good = v->is_array();
		for (std::size_t i = 0; good && i < v->size(); ++i) {
			const json &one = (*v)[i];
			good = one.is_string() && !one.get<std::string>().empty();
			if (good) out.push_back(one.get<std::string>());
		}
		if (!good) problem("wrong-type", where, where + " must be a list of names", std::string(key) + ": [name, name]");
		return out;
	}

	bool flag(const json &j, const std::string &path, const char *key) const
	{
		const json *v = get(j, key);
		if (v && !v->is_boolean())
			problem("wrong-type", path + "." + key, path + "." + key + " must be true or false", std::string(key) + ": true");
		return v && v->is_boolean() && v->get<bool>();
	}

	// One of some words; `later` are those that only a later version knows.
	std::string word(
	    const json &j, const std::string &path, const char *key, Keys known, Keys later, const std::string &otherwise) const
	{
		std::string where = path.empty() ? key : path + "." + key;
		auto it = j.find(key);
		if (it == j.end()) return otherwise;
		// on_missing: null is a word, though YAML reads it as null
		std::string given = it->is_null() ? "null" : it->is_string() ? it->get<std::string>() : it->dump();
		std::vector<std::string> words;
		for (const char *w : known) {
			if (given == w) return given;
			words.push_back(w);
		}
		std::string fix = std::string(key) + ": " + words.front();
		for (const char *w : later) {
			if (given == w) {
				unsupported(where, std::string(key) + ": " + given, fix);
				return otherwise;
			}
		}
		problem("bad-value", where, where + " cannot be \"" + given + "\"" + did_you_mean(given, words), fix);
		return otherwise;
	}
};

}  // namespace core
