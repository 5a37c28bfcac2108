#include "session/row_seal.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "base/expected.h"
#include "capture/reassembler.h"
#include "capture/tap.h"
#include "recording_support.h"
#include "session/assembler.h"
#include "session/session_settings.h"
#include "test_support/property.h"

using namespace darktap;
using namespace darktap::session;
namespace fs = std::filesystem;

namespace {

mysql::ResultSet& set_of(mysql::Answer& answer) { return std::get<mysql::ResultSet>(answer.results.at(0)); }

std::string all_rows(mysql::Answer& answer) {
  std::string text;
  const mysql::ResultSet& set = set_of(answer);
  for (std::size_t i = 0; i < set.rows.size(); ++i) text += std::string(as_text(set.rows.row(i))) + "|";
  return text;
}

}  // namespace

TEST_CASE("a sealed answer shows no row, and opens with the same rows in any order") {
  Folder folder;
  RowSeal seal(SealKey::load_or_make(folder / "key"));
  mysql::Answer answer = query(1, 0, "q", {"secret one", "secret two", "secret two"}).answer;
  seal.seal(answer);
  REQUIRE(is_sealed(answer));
  CHECK(all_rows(answer).find("secret") == std::string::npos);
  CHECK(set_of(answer).rows.row(0).size() == 16);
  CHECK(set_of(answer).row_count() == 3);

  using Opened = RowSeal::Opened;
  mysql::Answer same = query(1, 0, "q", {"secret one", "secret two", "secret two"}).answer, opened = answer;
  CHECK(seal.open(opened, same) == Opened::all);
  CHECK(set_of(opened).digests() == set_of(same).digests());
  CHECK(all_rows(opened) == "secret one|secret two|secret two|");

  mysql::Answer turned = query(1, 0, "q", {"secret two", "secret one"}).answer;
  opened = answer;
  CHECK(seal.open(opened, turned) == Opened::all);
  CHECK(all_rows(opened) == "secret one|secret two|secret two|");
  CHECK(set_of(opened).digests() == set_of(same).digests());

  mysql::Answer other = query(1, 0, "q", {"secret one", "secret 2", "secret 2"}).answer;
  opened = answer;
  CHECK(seal.open(opened, other) == Opened::not_all);
  CHECK(is_sealed(opened));

  RowSeal stranger(SealKey::load_or_make(folder / "other"));
  opened = answer;
  CHECK(stranger.open(opened, same) == Opened::not_all);
}

TEST_CASE("each answer of a capture is sealed as it comes, though the decoder uses its storage again") {
  struct Sealing final : ExchangeSink {
    explicit Sealing(const SealKey& key) : seal(key) {}
    RowSeal seal;
    std::size_t sets = 0;
    void on_session(const SessionInfo&) override {}
    void on_session_end(SessionId, CaptureTime) override {}
    void on_exchange(Exchange& exchange) override {
      CHECK_FALSE(is_sealed(exchange.answer));
      const mysql::Answer before = exchange.answer;
      seal.seal(exchange.answer);
      for (std::size_t i = 0; i < before.results.size(); ++i) {
        const auto *open = std::get_if<mysql::ResultSet>(&before.results[i]), *sealed = std::get_if<mysql::ResultSet>(&exchange.answer.results[i]);
        if (open == nullptr) continue;
        ++sets;
        REQUIRE(sealed->rows.size() == open->rows.size());
        for (std::size_t row = 0; row < sealed->rows.size(); ++row) REQUIRE(sealed->rows.row(row).size() == 16);
        CHECK_FALSE(sealed->digests().same_order(open->digests()));
        CHECK_FALSE(sealed->digests().same_multiset(open->digests()));
      }
      mysql::Answer opened = exchange.answer;
      CHECK(seal.open(opened, before) == RowSeal::Opened::all);
    }
  };
  Folder folder;
  const char* corpus = std::getenv("DARKTAP_CORPUS");
  fs::path capture = fs::path(corpus == nullptr ? "../shared" : corpus) / "captures/clients/py_pymysql.pcap";
  if (!fs::exists(capture)) {
    WARN("SKIPPED: no shared captures at " << capture.string());
    return;
  }
  Sealing sink(SealKey::load_or_make(folder / "key"));
  Assembler assembler(sink, {});
  capture::Reassembler reassembler(assembler);
  capture::FileTap tap(capture.string());
  capture::PacketView packet;
  while (tap.next(packet) == capture::Tap::Read::packet) reassembler.feed(packet);
  reassembler.finish(packet.time);
  CHECK(sink.sets > 20);
}

TEST_CASE("rows beyond the kept ones are compared by the sealed digests over all") {
  Folder folder;
  RowSeal seal(SealKey::load_or_make(folder / "key"));
  auto make = [](const char* beyond) {
    mysql::Answer answer = query(1, 0, "q", {"a"}).answer;
    set_of(answer).add(as_bytes(beyond), mysql::ResultSet::Keep::no);
    return answer;
  };
  mysql::Answer answer = make("b"), same = make("b"), other = make("c");
  seal.seal(answer);
  CHECK(set_of(answer).digests().ordered_low != set_of(same).digests().ordered_low);
  mysql::Answer opened = answer;
  CHECK(seal.open(opened, same) == RowSeal::Opened::all);
  CHECK(seal.open(answer, other) == RowSeal::Opened::not_all);
}

TEST_CASE("errors keep code and state and lose their text, which may quote a row") {
  Folder folder;
  RowSeal seal(SealKey::load_or_make(folder / "key"));
  mysql::Answer answer;
  answer.results.emplace_back(mysql::ServerError{1062, "23000", "Duplicate entry 'bob@example.com' for key 'email'"});
  seal.seal(answer);
  CHECK(answer.error()->code == 1062);
  CHECK(answer.error()->sqlstate == "23000");
  CHECK(answer.error()->message.find("bob") == std::string::npos);
}

TEST_CASE("a key is made once, 0600, never through a link, and refused where others can read it") {
  Folder folder;
  std::string path = folder / "key";
  SealKey key = SealKey::load_or_make(path);
  struct stat info{};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(SealKey::load_or_make(path).bytes() == key.bytes());
  CHECK(SealKey::load(path).id() == key.id());
  CHECK(SealKey::load_or_make(folder / "another").id() != key.id());
  CHECK_THROWS_WITH(SealKey::load(folder / "none"), Catch::Contains("--key"));
  fs::create_symlink(folder / "elsewhere", folder / "link");
  CHECK_THROWS_AS(SealKey::load_or_make(folder / "link"), Failure);
  CHECK_FALSE(fs::exists(folder / "elsewhere"));
  ::chmod(path.c_str(), 0640);
  CHECK_THROWS_WITH(SealKey::load(path), Catch::Contains("chmod 600"));
  std::ofstream(folder / "text") << "hello";
  ::chmod((folder / "text").c_str(), 0600);
  CHECK_THROWS_WITH(SealKey::load(folder / "text"), Catch::Contains("is no key"));
}

TEST_CASE("sealed rows go through a recording, which says with which key they were sealed") {
  Folder folder;
  SealKey key = SealKey::load_or_make(folder / "key");
  RowSeal seal(key);
  std::string path = folder / "a.dtap";
  Exchange e = query(1, 0, "SELECT name FROM people", {"a very secret name", "another very secret name"});
  seal.seal(e.answer);
  {
    RecordingOptions options;
    options.rows = RecordingOptions::Rows::sealed;
    options.key_id = key.id();
    RecordingWriter writer(path, options);
    writer.on_exchange(e);
    writer.finish({});
  }
  Collected collected;
  RecordingReader reader(path);
  CHECK(reader.options().rows == RecordingOptions::Rows::sealed);
  CHECK(reader.options().key_id == key.id());
  reader.read(collected);
  REQUIRE(collected.exchanges.size() == 1);
  mysql::Answer& answer = collected.exchanges[0].answer;
  REQUIRE(is_sealed(answer));
  CHECK(set_of(answer).digests() == set_of(e.answer).digests());
  mysql::Answer same = query(1, 0, "q", {"a very secret name", "another very secret name"}).answer;
  CHECK(seal.open(answer, same) == RowSeal::Opened::all);
}

TEST_CASE("a session's settings are the latest of each kind, oldest first, within their limits") {
  SessionSettings settings;
  SessionInfo info;
  info.id = SessionId{1};
  info.server_version = "8.0.15";
  settings.on_session(info);
  auto run = [&](const std::string& sql, std::uint16_t code = 0) {
    Exchange e = query(1, 0, sql);
    e.answer.results.clear();
    if (code == 0) e.answer.results.emplace_back(mysql::Ok{});
    else e.answer.results.emplace_back(mysql::ServerError{code, "HY000", ""});
    settings.on_exchange(e);
  };
  run("SET sql_mode = 'ANSI'");
  run("select 1");
  run("SET @a = 1");
  run("SET sql_mode = ''");
  run("SET no_such = 1", 1193);
  run("UPDATE t SET a = 1");
  run(" /* app */ set @b := 2");
  CHECK(settings.at_this_point(info).settings == std::vector<std::string>{"SET @a = 1", "SET sql_mode = ''", " /* app */ set @b := 2"});

  for (std::size_t i = 0; i < SessionSettings::most_statements + 1; ++i) run("SET @v" + std::string(i + 1, 'x') + " = 1");
  CHECK(settings.at_this_point(info).settings.size() == SessionSettings::most_statements);
  CHECK(settings.left_out() == 4);
  Exchange reset = query(1, 0, "");
  reset.command.code = mysql::CommandCode::reset_connection;
  reset.answer.results.clear();
  reset.answer.results.emplace_back(mysql::Ok{});
  settings.on_exchange(reset);
  CHECK(settings.at_this_point(info).settings.empty());
}
