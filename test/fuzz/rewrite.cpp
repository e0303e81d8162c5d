// Whatever the source sends: rows and fields are as many as they were, a replaced field is the replacement, the others are the bytes they
// were, and what is no row is an error.
#include "rewrite.hpp"
#include "error.hpp"
#include "rows.hpp"

using namespace fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	Input input(data, size);
	const unsigned shape = input.byte();
	const bool binary = shape & 1, nulls = shape & 2, in_row = shape & 4;
	const std::size_t columns = 1 + (shape >> 3 & 3), beside = shape >> 5 & 3, replaced = columns - 1;
	const std::string message = (binary && !(shape & 0x80) ? binary_header() : "") + std::string(input.rest());

	client::Replacement replacement{replaced, "secret", [&](std::string_view) { return nulls ? std::nullopt : std::optional<std::string_view>("other"); }, nulls};
	if (in_row)
		replacement.value_in_row = [&](std::string_view, const auto &row) {
			require(row.size() == columns + beside, "a replacement sees the whole row");
			return nulls ? std::nullopt : std::optional<std::string_view>("other");
		};
	client::Rewriter rewriter("public.people", binary, columns, {replacement}, beside);
	std::string out;
	bool refused = false;
	try {
		rewriter.message(message, out);
	} catch (const client::Error &error) {
		require(error.exit_code == client::exit_other && message.find(error.what()) == message.npos, "bytes that are no rows are named, not shown");
		refused = true;
	}
	std::string_view in = message, made = out;
	if (binary) {
		// signature, flags, and an extension of the header as long as it says
		if (in.size() < 19) return require(refused, "what is no header is refused"), 0;
		std::size_t length = 0;
		for (std::size_t i = 15; i < 19; ++i) length = length << 8 | static_cast<unsigned char>(in[i]);
		if (!in.starts_with(binary_header().substr(0, 11)) || in.size() - 19 < length) return require(refused, "what is no header is refused"), 0;
		if (!refused) require(made.substr(0, 19 + length) == in.substr(0, 19 + length), "the header stays");
		in.remove_prefix(19 + length);
		made.remove_prefix(std::min(made.size(), 19 + length));
	}
	bool end = false, ended = false;
	const auto before = read(in, binary, columns + beside, &end);
	require(refused == !before, "rows are read, and what is none is refused");
	if (refused) return 0;
	const auto after = read(made, binary, columns, &ended);
	require(after && after->size() == before->size() && ended == end, "rows are as many as they were");
	for (std::size_t r = 0; r < before->size(); ++r)
		for (std::size_t c = 0; c < columns; ++c) {
			const auto &was = (*before)[r][c], &is = (*after)[r][c];
			if (c != replaced || !was) require(is == was, "what is not replaced stays");
			else require(nulls ? !is : is == "other", "what is replaced is the replacement");
		}
	return 0;
}
