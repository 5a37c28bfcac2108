// The store as a file: modes, links, other people's files, full disks, dead writers.
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>

#include "test_support/catch.h"
#include "test_support/sample_store.h"
#include "test_support/temporary_folder.h"

using namespace darktap;
using store::RunWriter;
using store::StoreReader;

namespace {

std::string failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Failure& failure) {
    CHECK(failure.kind() == FailureKind::environment);
    CHECK(std::string(failure.what()).find('\n') == std::string::npos);
    return failure.what();
  }
  return "";
}

std::string writing_fails(const std::string& path) {
  return failure_of([&] {
    store::RunInfo info = sample::run_info();
    RunWriter writer(path, info);
    writer.flush();
  });
}

std::string reading_fails(const std::string& path) {
  return failure_of([&] { StoreReader{path}.runs(); });
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

void sql(const std::string& path, const char* text) {
  sqlite3* handle = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &handle) == SQLITE_OK);
  CHECK(sqlite3_exec(handle, text, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(handle);
}

void make_store(const std::string& path) {
  store::RunInfo info = sample::run_info();
  RunWriter writer(path, info);
  sample::add(writer, {SessionId{1}, 1});
  writer.finish(sample::at(10));
}

}  // namespace

TEST_CASE("a store and its companions are readable by their owner only, whatever the umask") {
  TemporaryFolder folder;
  mode_t before = ::umask(0);
  store::RunInfo info = sample::run_info();
  RunWriter writer(folder.file("run.db"), info);
  sample::add(writer, {SessionId{1}, 1});
  writer.flush();
  ::umask(before);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) CHECK(mode_of(entry.path()) == 0600);
  CHECK(std::filesystem::exists(folder.file("run.db-wal")));
}

TEST_CASE("a store is never written or read through a symbolic link") {
  TemporaryFolder folder;
  SECTION("dangling") {
    std::filesystem::create_symlink(folder.file("elsewhere"), folder.file("run.db"));
    CHECK(contains(writing_fails(folder.file("run.db")), "symbolic link"));
    CHECK_FALSE(std::filesystem::exists(folder.file("elsewhere")));
  }
  SECTION("to a real store") {
    make_store(folder.file("real.db"));
    std::filesystem::create_symlink(folder.file("real.db"), folder.file("run.db"));
    CHECK(contains(writing_fails(folder.file("run.db")), "symbolic link"));
    CHECK(contains(reading_fails(folder.file("run.db")), "symbolic link"));
  }
  SECTION("a folder that is reached through a link is the user's own arrangement") {
    std::filesystem::create_directory(folder.file("data"));
    std::filesystem::create_directory_symlink(folder.file("data"), folder.file("link"));
    make_store(folder.file("link/run.db"));
    CHECK(std::filesystem::exists(folder.file("data/run.db")));
  }
}

TEST_CASE("what is not a store is refused with its name and left as it was") {
  TemporaryFolder folder;
  std::string path = folder.file("notes.txt");
  std::string text(5000, 'x');
  std::ofstream(path) << text;
  for (const std::string& line : {writing_fails(path), reading_fails(path)}) {
    CHECK(contains(line, path));
    CHECK(contains(line, "not a darktap store"));
  }
  std::ifstream in(path);
  CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == text);
  CHECK(contains(reading_fails(folder.file("missing.db")), "No such file"));
  CHECK(contains(reading_fails(folder.path().string()), "not a regular file"));
  std::ofstream(folder.file("empty.db")).close();
  CHECK(contains(reading_fails(folder.file("empty.db")), "empty"));
}

TEST_CASE("another program's database is refused and stays as it was") {
  TemporaryFolder folder;
  std::string path = folder.file("other.db");
  sql(path, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1);");
  CHECK(contains(writing_fails(path), "another program's"));
  CHECK(contains(reading_fails(path), "another program's"));
  sql(path, "SELECT a FROM theirs");
}

TEST_CASE("a newer darktap's store is refused, naming both versions") {
  TemporaryFolder folder;
  std::string path = folder.file("run.db");
  make_store(path);
  sql(path, "PRAGMA user_version = 4711");
  CHECK(contains(writing_fails(path), "schema 4711"));
  CHECK(contains(reading_fails(path), "schema 4711"));
}

TEST_CASE("a folder that is missing is named, and nothing appears") {
  TemporaryFolder folder;
  std::string line = writing_fails(folder.file("no/such/run.db"));
  CHECK(contains(line, "no/such/run.db"));
  CHECK(contains(line, "create it first"));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a folder that can't be written is named") {
  // /proc refuses new files to everyone, root too.
  std::string line = writing_fails("/proc/darktap-run.db");
  CHECK(contains(line, "/proc/darktap-run.db"));
  CHECK(contains(line, "can't be created"));
}

TEST_CASE("a store that can't be created for lack of room leaves nothing behind") {
  TemporaryFolder folder;
  pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{8192, 8192};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int status = 1;
    try {
      store::RunInfo info = sample::run_info();
      RunWriter writer(folder.file("run.db"), info);
    } catch (const Failure& failure) {
      status = failure.kind() == FailureKind::environment && contains(failure.what(), "run.db") ? 0 : 2;
    }
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("an empty file may become a store, and is narrowed to its owner") {
  TemporaryFolder folder;
  std::string path = folder.file("run.db");
  std::ofstream(path).close();
  ::chmod(path.c_str(), 0644);
  make_store(path);
  CHECK(mode_of(path) == 0600);
  CHECK(StoreReader(path).runs().size() == 1);
}

TEST_CASE("a killed writer's store reads up to its last flush, its run not finished") {
  TemporaryFolder folder;
  std::string path = folder.file("run.db");
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    store::RunInfo info = sample::run_info();
    RunWriter writer(path, info);
    store::Ledger ledger;
    ledger.add(store::Bin::compared, 1);
    ledger.add(store::Bin::pending, 41);
    writer.set_ledger(ledger);
    sample::add(writer, {SessionId{1}, 1});
    writer.flush();
    sample::add(writer, {SessionId{1}, 2});  // never flushed
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(StoreReader(path).report(1).findings.at(0).events == 1);  // while the writer lives
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);

  store::RunReport report = StoreReader(path).report(1);
  CHECK_FALSE(report.run.finished);
  CHECK(report.ledger.of(store::Bin::pending) == 41);
  CHECK(report.coverage.exchanges == 42);
  CHECK(report.findings.at(0).events == 1);
  CHECK(report.findings.at(0).executions == 1);
}

TEST_CASE("the run's row is there before anything else is written") {
  TemporaryFolder folder;
  store::RunInfo info = sample::run_info();
  RunWriter writer(folder.file("run.db"), info);
  CHECK(info.id == 1);
  StoreReader reader(folder.file("run.db"));
  REQUIRE(reader.runs().size() == 1);
  CHECK(reader.runs()[0].mode == "replay");
  CHECK(reader.latest_run() == 1);
}

TEST_CASE("two writers at once keep their runs apart") {
  TemporaryFolder folder;
  std::string path = folder.file("run.db");
  store::RunInfo first = sample::run_info(), second = sample::run_info();
  RunWriter a(path, first), b(path, second);
  CHECK(first.id != second.id);
  for (std::uint32_t i = 0; i < 20; ++i) {
    sample::add(i % 2 == 0 ? a : b, {SessionId{1}, i});
    a.flush();
    b.flush();
  }
  StoreReader reader(path);
  CHECK(reader.report(first.id).findings.at(0).events == 10);
  CHECK(reader.report(second.id).findings.at(0).events == 10);
}

TEST_CASE("whether a store can be used is told before a run, without making one") {
  TemporaryFolder folder;
  std::string path = folder.file("run.db");
  store::check_usable(path);
  CHECK_FALSE(std::filesystem::exists(path));
  std::filesystem::create_directory(folder.file("sub"));
  CHECK(contains(failure_of([&] { store::check_usable(folder.file("sub")); }), "not a regular file"));
  CHECK(contains(failure_of([&] { store::check_usable(folder.file("missing") + "/run.db"); }), "folder"));
  std::ofstream(folder.file("notes.txt")) << "these are notes, and no database at all, long enough to be looked at";
  CHECK(contains(failure_of([&] { store::check_usable(folder.file("notes.txt")); }), "not a darktap store"));
  make_store(path);
  store::check_usable(path);
}
