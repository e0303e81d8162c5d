// A subtransaction around C++ code. Whatever leaves the code by an exception is caught here, at a place of its own: beginning and end may ereport, which
// no destructor may.
#pragma once
#include <optional>
#include <string>
#include "pg.hpp"

namespace prodsync {

class Subtransaction {
	MemoryContext context_;
	ResourceOwner owner_;

public:
	// What a constraint had against rows.
	struct Violation {
		int sqlstate = 0;
		std::string constraint, column;    // as the server named them; empty where it did not
	};

	Subtransaction();
	void commit() { end(true); }
	void roll_back() { end(false); }
	// In the handler of InFlight. Rolls back; where the error is a constraint's (class 23) it is forgotten, any other goes on its way.
	Violation roll_back_violation();
	// In the handler of InFlight. Rolls back and forgets the error; one that ends the statement or the session (class 57) goes on its way.
	void roll_back_error();
	// Its transaction id; one is assigned where there is none.
	static std::uint64_t id();

private:
	void end(bool commit);
};

// Everything that `body` does has a transaction id of its own.
template <class F> void in_subtransaction(F body)
{
	Subtransaction own;
	try {
		body();
	} catch (const pg::InFlight &) {    // whoever catches the error ends his own subtransaction, not ours
		own.roll_back();
		throw;
	} catch (const std::exception &) {
		own.roll_back();
		throw;
	}
	own.commit();
}

// Tries what may break a constraint. `keep`: what worked stays; else nothing does.
template <class F> std::optional<Subtransaction::Violation> attempt(bool keep, F body)
{
	Subtransaction own;
	try {
		body();
	} catch (const pg::InFlight &) {
		return own.roll_back_violation();
	} catch (const std::exception &) {
		own.roll_back();
		throw;
	}
	keep ? own.commit() : own.roll_back();
	return std::nullopt;
}

// Whether the server lets it be done. Its error is forgotten: it may show a value.
template <class F> bool succeeds(F body)
{
	Subtransaction own;
	try {
		body();
	} catch (const pg::InFlight &) {
		own.roll_back_error();
		return false;
	} catch (const std::exception &) {
		own.roll_back();
		throw;
	}
	own.commit();
	return true;
}

}  // namespace prodsync
