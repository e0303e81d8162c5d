#include "subtransaction.hpp"
#include "pg_server.hpp"

namespace prodsync {

Subtransaction::Subtransaction() : context_(CurrentMemoryContext), owner_(CurrentResourceOwner)
{
	const MemoryContext context = context_;
	pg::call([=] {
		BeginInternalSubTransaction(nullptr);
		MemoryContextSwitchTo(context);
	});
}

void Subtransaction::end(bool commit)
{
	const MemoryContext context = context_;
	const ResourceOwner owner = owner_;
	pg::call([=] {
		MemoryContextSwitchTo(context);
		if (commit) ReleaseCurrentSubTransaction();
		else RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	});
}

// Ends the subtransaction that failed; returns its error, which is the caller's to judge. For pg::call.
static ErrorData *end_failed(MemoryContext context, ResourceOwner owner)
{
	MemoryContextSwitchTo(context);
	ErrorData *error = CopyErrorData();
	FlushErrorState();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

Subtransaction::Violation Subtransaction::roll_back_violation()
{
	const MemoryContext context = context_;
	const ResourceOwner owner = owner_;
	const ErrorData *error = pg::call([=] {
		ErrorData *e = end_failed(context, owner);
		if (ERRCODE_TO_CATEGORY(e->sqlerrcode) != ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION) ReThrowError(e);
		return e;
	});
	return {error->sqlerrcode, error->constraint_name ? error->constraint_name : "", error->column_name ? error->column_name : ""};
}

void Subtransaction::roll_back_error()
{
	const MemoryContext context = context_;
	const ResourceOwner owner = owner_;
	pg::call([=] {
		ErrorData *e = end_failed(context, owner);
		if (ERRCODE_TO_CATEGORY(e->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION) ReThrowError(e);
	});
}

std::uint64_t Subtransaction::id()
{
	const auto [top, own] = pg::call([] { return std::pair(U64FromFullTransactionId(GetTopFullTransactionId()), GetCurrentTransactionId()); });
	return top + (own - static_cast<TransactionId>(top));    // given out after the transaction's own
}

}  // namespace prodsync
