#include "client/collation.h"

#include <mysql.h>

namespace darktap::client {

std::optional<CollationName> collation_name(std::uint16_t id) {
  const MARIADB_CHARSET_INFO* found = id == 0 ? nullptr : mariadb_get_charset_by_nr(id);
  if (found == nullptr) return std::nullopt;
  return CollationName{found->csname, found->name};
}

}  // namespace darktap::client
