// The copies of a redirect sandbox: each schema that captured writes go to is copied next to itself on the target, and reads
// and writes go to the copy. The schema itself is only read.
#pragma once

#include <string>
#include <vector>

#include "base/expected.h"
#include "client/blocking.h"

namespace darktap::replay {

// "shop" -> "darktap_copy_shop". A copy holds a table `darktap_copy_of` with the schema's name, by which it is known as ours.
std::string copy_of(const std::string& schema);

struct Copied {
  std::size_t tables = 0, views = 0;
  std::vector<std::string> left_out;  // one line each: triggers, views that can't be made
};
// Makes it anew, dropping an earlier copy of the same schema. One line with the remedy where the server refuses, or where
// there is a schema of that name that isn't such a copy.
Expected<Copied, std::string> make_copy(client::BlockingConnection& connection, const std::string& schema);

}  // namespace darktap::replay
