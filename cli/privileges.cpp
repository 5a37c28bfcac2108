#include "privileges.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/expected.h"

namespace darktap::cli {

namespace {

RunAs named(const passwd& entry) { return {entry.pw_uid, entry.pw_gid, entry.pw_name}; }

RunAs by_id(unsigned user, unsigned group) {
  if (const passwd* entry = getpwuid(user)) return {user, group, entry->pw_name};
  return {user, group, std::to_string(user)};
}

std::optional<RunAs> who_ran_sudo() {
  const char* user = std::getenv("SUDO_UID");
  const char* group = std::getenv("SUDO_GID");
  if (user == nullptr || group == nullptr) return {};
  char *user_end = nullptr, *group_end = nullptr;
  const unsigned long user_id = std::strtoul(user, &user_end, 10), group_id = std::strtoul(group, &group_end, 10);
  if (user_id == 0 || *user_end != 0 || *group_end != 0) return {};
  return by_id(static_cast<unsigned>(user_id), static_cast<unsigned>(group_id));
}

void must(bool done, const RunAs& user) {
  if (!done) throw Failure(FailureKind::environment, "can't go on as user " + user.name + ": " + std::strerror(errno) + "; name another with --user");
}

}  // namespace

RunAs choose_user(const std::string& user_option, const std::string& folder) {
  if (!user_option.empty()) {
    const passwd* entry = getpwnam(user_option.c_str());
    if (entry == nullptr) throw Failure(FailureKind::usage, "--user " + user_option + ": no such user; name one that this machine knows");
    if (geteuid() != 0 && entry->pw_uid != geteuid()) throw Failure(FailureKind::usage, "--user " + user_option + ": only root can become another user; leave it out");
    return named(*entry);
  }
  if (geteuid() != 0) return by_id(geteuid(), getegid());
  if (const auto caller = who_ran_sudo(); caller && may_write(*caller, folder)) return *caller;
  struct stat status {};
  if (stat(folder.c_str(), &status) == 0 && status.st_uid != 0) {
    const RunAs owner = by_id(status.st_uid, status.st_gid);
    if (may_write(owner, folder)) return owner;
  }
  return by_id(0, getegid());
}

std::optional<RunAs> choose_user_for_file(const std::string& user_option, const std::string& file) {
  std::string folder = std::filesystem::absolute(file).parent_path().string();
  RunAs user = choose_user(user_option, folder);
  if (geteuid() != 0 || !user_option.empty()) return user;
  struct stat status {};
  if (stat(file.c_str(), &status) == 0) user = by_id(status.st_uid, status.st_gid);
  if (user.user != 0) return may_write(user, folder) ? std::optional(user) : std::nullopt;
  return stat(folder.c_str(), &status) == 0 && status.st_uid == 0 ? std::optional(user) : std::nullopt;
}

bool may_write(const RunAs& user, const std::string& folder) {
  const auto may = [&] { return faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0; };
  if (geteuid() != 0 || user.user == 0) return may();
  const gid_t group_before = getegid();
  // The groups that we have ourselves must not help; the user's own are not asked for, so that the answer errs on the safe side.
  bool allowed = false;
  gid_t groups_before[256];
  const int group_count = getgroups(256, groups_before);
  if (group_count >= 0 && setgroups(0, nullptr) == 0) {
    if (setegid(user.group) == 0 && seteuid(user.user) == 0) allowed = may();
    must(seteuid(0) == 0 && setegid(group_before) == 0, by_id(0, group_before));
    must(setgroups(static_cast<std::size_t>(group_count), groups_before) == 0, by_id(0, group_before));
  }
  return allowed;
}

void drop_privileges(const RunAs& user) {
  if (geteuid() == 0 && user.user != 0) {
    must(initgroups(user.name.c_str(), user.group) == 0 || setgroups(0, nullptr) == 0, user);
    must(setresgid(user.group, user.group, user.group) == 0, user);
    must(setresuid(user.user, user.user, user.user) == 0, user);
  }
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, user);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  must(syscall(SYS_capset, &header, none) == 0, user);
}

}  // namespace darktap::cli
