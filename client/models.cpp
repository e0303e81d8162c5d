#include "models.hpp"
#include "core/generic.hpp"

namespace client {

core::Models models_of(Connection &connection, const core::Graph &graph, const core::Catalog &catalog)
{
	core::Models out;
	for (const core::GenericRelation &one : graph.generic) {
		const core::Relation *table = catalog.find(one.table), *types = one.by.types.empty() ? table : catalog.find(one.by.types);
		if (!core::on_a_path(graph, one) || !table || !table->readable || !types || !types->readable) continue;
		const auto rows = connection.exec(core::models_in_use(one, catalog), {}, Show::message);
		for (int i = 0; i < rows.rows(); ++i)
			if (!rows.null(i, 1)) out[core::id_of(one)].insert(core::model_name(one.by, rows.text(i, 1)));
	}
	return out;
}

}  // namespace client
