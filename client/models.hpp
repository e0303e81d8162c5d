// The models that rows of generic relations name on one side, for what is read along tenant paths.
#pragma once
#include "connection.hpp"
#include "core/ways.hpp"

namespace client {

// Of the relations that tenant paths pass and this role may read. The catalog is the connection's own, and the graph made from it.
core::Models models_of(Connection &, const core::Graph &, const core::Catalog &);

}  // namespace client
