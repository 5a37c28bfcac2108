#include "comments.h"

namespace darktap::sql {

CommentVersion comment_version(std::string_view behind, bool mariadb_only, const Server& server) {
  CommentVersion found;
  std::uint32_t version = 0, digits = 0;
  while (digits < 6 && digits < behind.size() && behind[digits] >= '0' && behind[digits] <= '9') {
    version = version * 10 + static_cast<std::uint32_t>(behind[digits++] - '0');
  }
  bool mariadb = server.kind == ServerKind::mariadb;
  if (digits < 5) {  // no version's number: its digits are part of the text
    if (mariadb_only && !mariadb) found.taken = Taken::undecided;
    return found;
  }
  found.digits = digits;
  found.taken = Taken::undecided;
  if (mariadb_only && !mariadb) return found;
  // A server that is known by its series alone may be any release of it.
  bool within_series = server.version % 100 == last_of_series && version / 100 == server.version / 100 && version % 100 != 0;
  if (mariadb) {
    if (!mariadb_only && version >= 50700 && version <= 99999) found.taken = Taken::skipped;  // MySQL's own features
    else if (version <= 50500) found.taken = Taken::executed;
    else if (server.version != 0 && !within_series) found.taken = version <= server.version ? Taken::executed : Taken::skipped;
    return found;
  }
  if (digits == 6) return found;  // older MySQL reads five digits and takes the sixth as text
  if (version <= 50500) found.taken = Taken::executed;  // every server that is still met
  else if (server.kind == ServerKind::mysql && server.version != 0 && !within_series) {
    found.taken = version <= server.version ? Taken::executed : Taken::skipped;
  }
  return found;
}

bool ends_outside_quotes(std::string_view hint) {
  char open = 0;
  for (char c : hint) {
    if (open == 0 && (c == '\'' || c == '"' || c == '`')) open = c;
    else if (c == open) open = 0;
  }
  return open == 0;
}

}  // namespace darktap::sql
