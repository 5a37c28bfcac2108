// What a tap needs root for is done once its interface and its first file are open; the rest of its life it runs without.
#pragma once

#include <optional>
#include <string>

namespace darktap::cli {

struct RunAs {
  unsigned user = 0, group = 0;
  std::string name;  // for the user's eyes
};

// Whom to become: `--user`; else who ran sudo, or the folder's owner, whichever may write there; else nobody else: root stays,
// without its capabilities. Without root's rights: who we are. Throws Failure(usage) for a user that isn't there.
RunAs choose_user(const std::string& user_option, const std::string& folder);

// The same for a program that keeps a file there: the owner of a file that is there already comes before the folder's. Empty
// where nobody could write there without root's rights to everything.
std::optional<RunAs> choose_user_for_file(const std::string& user_option, const std::string& file);

// Becomes that user for good, in all threads to come, gives up every capability and the way back to them. Call it before the
// first thread. Throws Failure(environment).
void drop_privileges(const RunAs& user);

// May that user make files in the folder?
bool may_write(const RunAs& user, const std::string& folder);

}  // namespace darktap::cli
