#include "opening.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "schema.h"
#include "store/store.h"

namespace darktap::store {

namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Failure(FailureKind::environment, "store " + name + ": " + why);
}

std::string reason(int error) { return std::strerror(error); }

// The folder may be reached through links (the user's own arrangement); the file itself may not be one. SQLite refuses
// links anywhere in the path, so it gets the folder resolved.
std::string resolved(const std::string& name) {
  std::filesystem::path path(name);
  if (!path.has_filename()) refuse(name, "is not a file name; name the file, e.g. run.db");
  std::error_code error;
  std::filesystem::path folder = std::filesystem::canonical(path.has_parent_path() ? path.parent_path() : ".", error);
  if (error) refuse(name, "its folder can't be opened (" + error.message() + "); create it first");
  if (!std::filesystem::is_directory(folder, error)) refuse(name, folder.string() + " is not a folder; name a file in one");
  return (folder / path.filename()).string();
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() { if (descriptor_ >= 0) ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

enum class Found : std::uint8_t { created, empty, filled };

// Makes sure that a regular file of ours stands at the path before SQLite touches it.
Found claim(const std::string& name, const std::string& path) {
  File fresh(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (fresh.get() >= 0) {
    if (::fchmod(fresh.get(), 0600) != 0) refuse(name, "its mode can't be set (" + reason(errno) + ")");
    return Found::created;
  }
  if (errno != EEXIST) refuse(name, "can't be created (" + reason(errno) + "); give a file in a folder that you may write");
  File file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno == ELOOP) refuse(name, "is a symbolic link; name the file itself");
    refuse(name, "can't be opened for writing (" + reason(errno) + "); check its permissions");
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) refuse(name, "is not a regular file; name another one");
  if (status.st_size > 0) return Found::filled;
  if (::fchmod(file.get(), 0600) != 0) refuse(name, "its mode can't be set (" + reason(errno) + ")");
  return Found::empty;
}

void check_there(const std::string& name, const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) refuse(name, "can't be opened (" + reason(errno) + "); check the path");
  if (S_ISLNK(status.st_mode)) refuse(name, "is a symbolic link; name the file itself");
  if (!S_ISREG(status.st_mode)) refuse(name, "is not a regular file; name a store");
  if (status.st_size == 0) refuse(name, "is empty; give a file that replay, shadow or check wrote");
}

// Version 0 is a database without our schema.
std::int64_t checked_version(const Database& database) {
  std::int64_t version = database.pragma("user_version");
  if (database.pragma("application_id") != application_id) {
    refuse(database.name(), "is another program's SQLite database, not a darktap store; give another file");
  }
  std::int64_t known = static_cast<std::int64_t>(schema_files().size());
  if (version > known) {
    refuse(database.name(), "was written by a newer darktap (schema " + std::to_string(version) + ", this one knows " +
                                std::to_string(known) + "); use that version");
  }
  return version;
}

// Runs the steps above the given version, all or none.
void upgrade(Database& database, std::int64_t version) {
  Transaction transaction(database);
  version = std::max(version, database.pragma("user_version"));  // another process may have been first
  for (const SchemaFile& file : schema_files().subspan(static_cast<std::size_t>(version))) {
    database.execute(std::string(file.sql).c_str());
  }
  database.execute(("PRAGMA application_id = " + std::to_string(application_id)).c_str());
  database.execute(("PRAGMA user_version = " + std::to_string(schema_files().size())).c_str());
  transaction.commit();
}

// With a WAL, NORMAL survives the death of the process at any point; a power cut may cost the last flushes, never the store.
void prepare_for_writing(Database& database) {
  database.execute("PRAGMA journal_mode = WAL");
  database.execute("PRAGMA synchronous = NORMAL");
}

Database open_filled(const std::string& name, const std::string& path) {
  Database database(name, path, Database::Access::write);
  std::int64_t version = checked_version(database);
  if (version < static_cast<std::int64_t>(schema_files().size())) upgrade(database, version);
  prepare_for_writing(database);
  return database;
}

Database create(const std::string& name, const std::string& path) {
  Database database(name, path, Database::Access::write);
  // The schema first: until it is committed the file stays empty, so another process never sees half of it.
  upgrade(database, 0);
  prepare_for_writing(database);
  return database;
}

void remove_with_companions(const std::string& path) {
  for (const char* suffix : {"-wal", "-shm", "-journal", ""}) ::unlink((path + suffix).c_str());
}

}  // namespace

void check_usable(const std::string& name) {
  std::string path = resolved(name);
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    std::string folder = std::filesystem::path(path).parent_path().string();
    if (::access(folder.c_str(), W_OK) != 0) refuse(name, "can't be created (" + reason(errno) + "); give a file in a folder that you may write");
    return;
  }
  if (S_ISREG(status.st_mode) && ::access(path.c_str(), W_OK) != 0) refuse(name, "can't be opened for writing (" + reason(errno) + "); check its permissions");
  if (!S_ISREG(status.st_mode) || status.st_size > 0) open_for_reading(name);
}

Database open_or_create(const std::string& name) {
  std::string path = resolved(name);
  Found found = claim(name, path);
  if (found == Found::filled) return open_filled(name, path);
  try {
    return create(name, path);
  } catch (const Failure&) {
    if (found == Found::created) remove_with_companions(path);
    throw;
  }
}

Database open_for_change(const std::string& name) {
  std::string path = resolved(name);
  check_there(name, path);
  return open_filled(name, path);
}

Database open_for_reading(const std::string& name) {
  std::string path = resolved(name);
  check_there(name, path);
  std::error_code none;
  // Where the folder can't be written, SQLite can't make the WAL's shared memory. Without a WAL nobody writes, so the
  // file may be read as it stands.
  bool has_wal = std::filesystem::exists(path + "-wal", none);
  bool may_write = ::access(std::filesystem::path(path).parent_path().c_str(), W_OK) == 0;
  Database::Access access = has_wal || may_write ? Database::Access::read : Database::Access::read_immutable;
  Database database(name, path, access);
  if (checked_version(database) == 0) refuse(name, "holds no run yet; give a file that replay, shadow or check wrote");
  return database;
}

}  // namespace darktap::store
