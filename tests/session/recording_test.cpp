#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/expected.h"
#include "session/recording.h"
#include "session/request_order.h"
#include "test_support/property.h"

using namespace darktap;
using namespace darktap::session;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("darktap-recording-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
};

struct Collected final : ExchangeSink {
  std::vector<SessionInfo> sessions;
  std::vector<Exchange> exchanges;
  std::vector<SessionId> ends;
  void on_session(const SessionInfo& info) override { sessions.push_back(info); }
  void on_exchange(Exchange& exchange) override { exchanges.push_back(std::move(exchange)); }
  void on_session_end(SessionId session, CaptureTime) override { ends.push_back(session); }
};

Exchange sample(std::uint32_t seq, const std::string& sql) {
  Exchange e;
  e.id = {SessionId{7}, seq};
  e.provenance = {1, PacketNumber{42}};
  e.user = "app";
  e.schema = "shop";
  e.collation = 45;
  e.command.code = mysql::CommandCode::stmt_execute;
  e.command.text = sql;
  e.command.text_state = mysql::Command::Text::known;
  e.command.parameters = {{mysql::ColumnType::longlong, mysql::Parameter::Sign::unsigned_, mysql::Parameter::Presence::value, "", std::vector<std::byte>(8, std::byte{0xff})}};
  mysql::ResultSet set;
  mysql::Column id;
  id.name = "id";
  id.type = mysql::ColumnType::long_;
  set.columns = std::vector{id};
  set.rows.add(as_bytes("\x01" "5"));
  set.digests.rows = 1;
  set.digests.ordered_high = 0xffffffffffffffff;
  e.answer.results.emplace_back(std::move(set));
  e.answer.results.emplace_back(mysql::Ok{3, 9, 2, 1, "info", "0-1-2"});
  e.answer.results.emplace_back(mysql::ServerError{1146, "42S02", "no such table"});
  e.request_first = CaptureTime(std::chrono::seconds(1'700'000'000) + std::chrono::microseconds(seq));
  e.request_last = e.request_first + std::chrono::nanoseconds(5);
  e.response_first = e.request_last + std::chrono::milliseconds(1);
  e.response_last = e.response_first;
  return e;
}

void require_equal(const Exchange& a, const Exchange& b) {
  CHECK(a.id == b.id);
  CHECK(a.provenance == b.provenance);
  CHECK(a.command.text == b.command.text);
  CHECK(a.command.parameters.at(0).bytes == b.command.parameters.at(0).bytes);
  CHECK(a.response_last == b.response_last);
  REQUIRE(b.answer.results.size() == a.answer.results.size());
  const auto& set = std::get<mysql::ResultSet>(b.answer.results[0]);
  CHECK(set.columns == std::get<mysql::ResultSet>(a.answer.results[0]).columns);
  CHECK(set.digests == std::get<mysql::ResultSet>(a.answer.results[0]).digests);
  CHECK(as_text(set.rows.row(0)) == "\x01" "5");
  CHECK(std::get<mysql::ServerError>(b.answer.results[2]).sqlstate == "42S02");
}

std::size_t write_sample(const std::string& path, std::uint32_t exchanges) {
  RecordingWriter writer(path);
  writer.add_file("prod.pcap");
  SessionInfo info;
  info.id = SessionId{7};
  info.server_version = "8.0.15";
  info.transport = SessionInfo::Transport::compressed;
  writer.on_session(info);
  for (std::uint32_t i = 0; i < exchanges; ++i) {
    Exchange e = sample(i, "SELECT " + std::to_string(i));
    writer.on_exchange(e);
    if (i % 3 == 0) writer.flush();
  }
  writer.on_session_end(SessionId{7}, CaptureTime(std::chrono::seconds(5)));
  TapCounters counters;
  counters.packets = 99;
  writer.finish(counters);
  return static_cast<std::size_t>(fs::file_size(path));
}

}  // namespace

TEST_CASE("a recording gives back what was written, in order, and is readable by its owner only") {
  Folder folder;
  std::string path = folder / "a.dtap";
  write_sample(path, 10);
  struct stat info{};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  REQUIRE(RecordingReader::is_recording(path));
  Collected collected;
  RecordingReader reader(path);
  TapCounters counters = reader.read(collected);
  CHECK(counters.packets == 99);
  CHECK(counters.end == TapCounters::End::whole);
  CHECK(reader.files() == std::vector<std::string>{"prod.pcap"});
  REQUIRE(collected.sessions.size() == 1);
  CHECK(collected.sessions[0].server_version == "8.0.15");
  CHECK(collected.sessions[0].transport == SessionInfo::Transport::compressed);
  REQUIRE(collected.exchanges.size() == 10);
  for (std::uint32_t i = 0; i < 10; ++i) require_equal(sample(i, "SELECT " + std::to_string(i)), collected.exchanges[i]);
  CHECK(collected.ends == std::vector<SessionId>{SessionId{7}});
}

TEST_CASE("a recording cut at any byte gives its whole blocks and says that it is truncated") {
  Folder folder;
  std::string path = folder / "a.dtap", cut = folder / "cut.dtap";
  std::size_t size = write_sample(path, 10);
  std::size_t most = 0;
  for (std::size_t keep = 16; keep < size; keep += 7) {
    fs::copy_file(path, cut, fs::copy_options::overwrite_existing);
    fs::resize_file(cut, keep);
    Collected collected;
    RecordingReader reader(cut);
    CHECK(reader.read(collected).end == TapCounters::End::truncated);
    CHECK(collected.exchanges.size() >= most);
    most = collected.exchanges.size();
  }
  CHECK(most >= 9);
}

TEST_CASE("a flipped byte in a recording never crashes the reader and loses at most what is behind it") {
  Folder folder;
  std::string path = folder / "a.dtap", bad = folder / "bad.dtap";
  std::size_t size = write_sample(path, 10);
  require_property("flip", [&](std::size_t at, std::uint8_t with) {
    fs::copy_file(path, bad, fs::copy_options::overwrite_existing);
    std::fstream file(bad, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(16 + at % (size - 16)));
    file.put(static_cast<char>(with));
    file.close();
    Collected collected;
    RecordingReader(bad).read(collected);
    RC_ASSERT(collected.exchanges.size() <= 10U);
  });
}

TEST_CASE("a recording is never written through a symbolic link") {
  Folder folder;
  fs::create_symlink(folder / "elsewhere", folder / "link.dtap");
  CHECK_THROWS_AS(RecordingWriter(folder / "link.dtap"), Failure);
  CHECK_FALSE(fs::exists(folder / "elsewhere"));
}

TEST_CASE("what isn't a recording is refused by name") {
  Folder folder;
  std::ofstream(folder / "x") << "hello, this is text";
  CHECK_FALSE(RecordingReader::is_recording(folder / "x"));
  CHECK_THROWS_WITH(RecordingReader(folder / "x"), Catch::Contains("not a darktap recording"));
}

TEST_CASE("exchanges come out in order of request within the limit, and the late ones beyond it are counted") {
  Collected collected;
  RequestOrder order(collected);
  for (std::uint32_t seq : {3U, 1U, 2U}) {
    Exchange e = sample(seq, "q");
    order.on_exchange(e);
  }
  order.finish();
  REQUIRE(collected.exchanges.size() == 3);
  for (std::uint32_t i = 0; i < 3; ++i) CHECK(collected.exchanges[i].id.seq == i + 1);

  Collected tight;
  RequestOrder small(tight, 1);
  for (std::uint32_t seq : {3U, 1U, 2U}) {
    Exchange e = sample(seq, "q");
    small.on_exchange(e);
  }
  small.finish();
  CHECK(tight.exchanges.size() == 3);
  CHECK(small.out_of_order() == 2);
}
