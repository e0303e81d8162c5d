// in_shape_of(elements, shape): an array of ids that was put together anew, in the dimensions and bounds of the one it came from. Statements over kept
// rows and tables that stay use it; it looks at no table, and nobody has USAGE on its schema.
#include "pg.hpp"
extern "C" {
#include "utils/array.h"
#include "utils/lsyscache.h"
}

namespace prodsync {

// Where ids were taken out there are fewer: then it is what is left, from 1 on.
static ArrayType *in_shape_of(ArrayType *elements, ArrayType *shape)
{
	const int count = ArrayGetNItems(ARR_NDIM(elements), ARR_DIMS(elements));
	if (count == 0 || count != ArrayGetNItems(ARR_NDIM(shape), ARR_DIMS(shape))) return elements;
	if (ARR_NDIM(shape) == 1 && ARR_LBOUND(shape)[0] == ARR_LBOUND(elements)[0]) return elements;
	int16 length;
	bool by_value;
	char alignment;
	get_typlenbyvalalign(ARR_ELEMTYPE(elements), &length, &by_value, &alignment);
	Datum *values;
	bool *nulls;
	int n;
	deconstruct_array(elements, ARR_ELEMTYPE(elements), length, by_value, alignment, &values, &nulls, &n);
	return construct_md_array(
	    values, nulls, ARR_NDIM(shape), ARR_DIMS(shape), ARR_LBOUND(shape), ARR_ELEMTYPE(elements), length, by_value, alignment);
}

PG_FUNCTION(prodsync_in_shape_of)
{
	return pg::call([=] { return PointerGetDatum(in_shape_of(PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_ARRAYTYPE_P(1))); });
}

}  // namespace prodsync
