// The schema as a server tells it, for order proofs and for routines behind views.
#pragma once

#include <optional>
#include <string>

#include "base/expected.h"
#include "client/blocking.h"
#include "sql/catalogue.h"

namespace darktap::replay {

struct CatalogueLimits {
  std::size_t columns = 500'000;  // beyond this the catalogue is left out whole: weaker answers, never wrong ones
};
// Tables, whole-column unique keys, routines, views with the routines they reach and what else reading them does; of all
// schemas but the server's own.
// One line where the server refuses or a limit is passed.
Expected<sql::Catalogue, std::string> read_catalogue(client::BlockingConnection& connection, const std::string& default_schema,
                                                     const CatalogueLimits& limits = {});
// Routines and views alone: what this server's views do is added to what those of that name do elsewhere.
std::optional<std::string> read_views(client::BlockingConnection& connection, sql::Catalogue& into);

// The query of "CREATE … VIEW `schema`.`name` AS query", as SHOW CREATE VIEW prints it from another schema; empty where the view names
// its columns itself, or the text is another.
std::string query_of_view(const std::string& shown, const std::string& schema, const std::string& name);

}  // namespace darktap::replay
