#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/expected.h"
#include "recording_support.h"
#include "session/recording.h"
#include "session/request_order.h"
#include "test_support/property.h"

using namespace darktap;
using namespace darktap::session;
namespace fs = std::filesystem;

namespace {

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
  set.add(as_bytes("\x01" "5"));
  mysql::ResultSet more = set;  // of which a row was not kept
  more.add(as_bytes("\x01" "6"), mysql::ResultSet::Keep::no);
  e.answer.results.emplace_back(std::move(set));
  e.answer.results.emplace_back(mysql::Ok{3, 9, 2, 1, "info", "0-1-2"});
  e.answer.results.emplace_back(std::move(more));
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
  CHECK(a.user == b.user);
  CHECK(a.schema == b.schema);
  CHECK(a.collation == b.collation);
  CHECK(a.certainty == b.certainty);
  CHECK(a.why == b.why);
  CHECK(a.command.code == b.command.code);
  CHECK(a.command.text == b.command.text);
  CHECK(a.command.text_state == b.command.text_state);
  CHECK(a.command.statement_id == b.command.statement_id);
  CHECK(a.command.cursor_flags == b.command.cursor_flags);
  CHECK(a.command.bulk_rows == b.command.bulk_rows);
  CHECK(a.command.number == b.command.number);
  auto require_equal_parameters = [](const std::vector<mysql::Parameter>& left, const std::vector<mysql::Parameter>& right) {
    REQUIRE(left.size() == right.size());
    for (std::size_t i = 0; i < left.size(); ++i) {
      CHECK(left[i].type == right[i].type);
      CHECK(left[i].sign == right[i].sign);
      CHECK(left[i].presence == right[i].presence);
      CHECK(left[i].name == right[i].name);
      CHECK(left[i].bytes == right[i].bytes);
    }
  };
  require_equal_parameters(a.command.parameters, b.command.parameters);
  require_equal_parameters(a.command.attributes, b.command.attributes);
  CHECK(a.request_first == b.request_first);
  CHECK(a.request_last == b.request_last);
  CHECK(a.response_first == b.response_first);
  CHECK(a.response_last == b.response_last);
  CHECK(a.request_bytes == b.request_bytes);
  CHECK(a.response_bytes == b.response_bytes);
  CHECK(a.answer.state == b.answer.state);
  CHECK(a.answer.why_unobserved == b.answer.why_unobserved);
  CHECK(a.answer.statement_id == b.answer.statement_id);
  CHECK(a.answer.parameter_count == b.answer.parameter_count);
  CHECK(a.answer.column_count == b.answer.column_count);
  REQUIRE(b.answer.results.size() == a.answer.results.size());
  for (std::size_t i = 0; i < a.answer.results.size(); ++i) {
    REQUIRE(a.answer.results[i].index() == b.answer.results[i].index());
    if (const auto* set = std::get_if<mysql::ResultSet>(&a.answer.results[i])) {
      const auto& other = std::get<mysql::ResultSet>(b.answer.results[i]);
      CHECK(set->columns == other.columns);
      CHECK(set->format == other.format);
      CHECK(set->status == other.status);
      CHECK(set->warnings == other.warnings);
      CHECK(set->digests() == other.digests());
      REQUIRE(set->rows.size() == other.rows.size());
      for (std::size_t row = 0; row < set->rows.size(); ++row) CHECK(as_text(set->rows.row(row)) == as_text(other.rows.row(row)));
    } else if (const auto* ok = std::get_if<mysql::Ok>(&a.answer.results[i])) {
      const auto& other = std::get<mysql::Ok>(b.answer.results[i]);
      CHECK(ok->affected_rows == other.affected_rows);
      CHECK(ok->last_insert_id == other.last_insert_id);
      CHECK(ok->status == other.status);
      CHECK(ok->warnings == other.warnings);
      CHECK(ok->info == other.info);
      CHECK(ok->gtid == other.gtid);
    } else {
      const auto& error = std::get<mysql::ServerError>(a.answer.results[i]);
      const auto& other = std::get<mysql::ServerError>(b.answer.results[i]);
      CHECK(error.code == other.code);
      CHECK(error.sqlstate == other.sqlstate);
      CHECK(error.message == other.message);
    }
  }
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

TEST_CASE("a recording tells of the round trips that the tap measured, or says nothing") {
  Folder folder;
  std::string path = folder / "a.dtap";
  Collected collected;
  write_sample(path, 3);
  RecordingReader without(path);
  without.read(collected);
  CHECK_FALSE(without.round_trips().known());

  std::string measured = folder / "b.dtap";
  RoundTrips found;
  found.handshake_server.record(200);
  found.ack_client.record(900, 7);
  RecordingWriter writer(measured);
  writer.finish({}, found);
  RecordingReader reader(measured);
  reader.read(collected);
  CHECK(reader.round_trips().handshake_server == found.handshake_server);
  CHECK(reader.round_trips().ack_client == found.ack_client);
  CHECK(reader.round_trips().ack_server.count() == 0);
}

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

TEST_CASE("a recording cut at any byte gives its whole blocks and says that it ends early") {
  Folder folder;
  std::string path = folder / "a.dtap", cut = folder / "cut.dtap";
  std::size_t size = write_sample(path, 10);
  std::size_t most = 0;
  for (std::size_t keep = 0; keep < size; ++keep) {
    fs::copy_file(path, cut, fs::copy_options::overwrite_existing);
    fs::resize_file(cut, keep);
    INFO("cut to " << keep << " of " << size);
    if (keep < 40) {  // the file's header
      CHECK_THROWS_AS(RecordingReader(cut), Failure);
      continue;
    }
    Collected collected;
    RecordingReader reader(cut);
    CHECK(reader.read(collected).end == TapCounters::End::truncated);
    CHECK_THAT(reader.problem(), Catch::Contains("ends early"));
    CHECK(collected.exchanges.size() >= most);
    most = collected.exchanges.size();
  }
  CHECK(most == 10);
}

TEST_CASE("a flipped bit anywhere in a recording is found, named by its offset, and costs no more than its block") {
  Folder folder;
  std::string path = folder / "a.dtap", bad = folder / "bad.dtap";
  std::size_t size = write_sample(path, 10);
  std::vector<char> whole(size);
  std::ifstream(path, std::ios::binary).read(whole.data(), static_cast<std::streamsize>(size));
  for (std::size_t at = 0; at < size; ++at) {
    std::vector<char> bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    std::ofstream(bad, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(size));
    INFO("bit flipped in byte " << at << " of " << size);
    if (at < 40) {
      CHECK_THROWS_AS(RecordingReader(bad), Failure);
      continue;
    }
    Collected collected;
    RecordingReader reader(bad);
    CHECK(reader.read(collected).end == TapCounters::End::truncated);
    REQUIRE(reader.damage_count() >= 1);
    const Damage& damage = reader.damages().front();
    CHECK(damage.offset <= at);
    CHECK(at < damage.offset + damage.bytes);
    CHECK_THAT(reader.problem(), Catch::Contains("at byte " + std::to_string(damage.offset)));
    CHECK(collected.exchanges.size() >= 7);  // three to a block
    for (const Exchange& e : collected.exchanges) {
      if (e.is_observed()) require_equal(sample(e.id.seq, "SELECT " + std::to_string(e.id.seq)), e);
    }
  }
}

TEST_CASE("any bytes in place of a recording's never crash the reader") {
  Folder folder;
  std::string path = folder / "a.dtap", bad = folder / "bad.dtap";
  std::size_t size = write_sample(path, 10);
  require_property("overwrite", [&](std::size_t at, const std::vector<std::uint8_t>& with) {
    fs::copy_file(path, bad, fs::copy_options::overwrite_existing);
    std::fstream file(bad, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(40 + at % (size - 40)));
    file.write(reinterpret_cast<const char*>(with.data()), static_cast<std::streamsize>(with.size()));
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

TEST_CASE("a recording of another version is refused with its number and the remedy") {
  Folder folder;
  std::string path = folder / "a.dtap";
  write_sample(path, 1);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(8);
  file.put(1);
  file.close();
  CHECK(RecordingReader::is_recording(path));
  CHECK_THROWS_WITH(RecordingReader(path), Catch::Contains("format 1") && Catch::Contains("record it again"));
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

TEST_CASE("an exchange that is written over another one's storage comes out as it was") {
  // The sink keeps what it is given and leaves something else in its place, as a run does.
  struct Swapping final : ExchangeSink {
    std::vector<Exchange> kept;
    void on_session(const SessionInfo&) override {}
    void on_exchange(Exchange& exchange) override {
      Exchange other;
      if (!kept.empty()) other = kept.front();
      other.why = "left over";
      other.answer.why_unobserved = "left over";
      std::swap(exchange, other);
      kept.push_back(std::move(other));
    }
    void on_session_end(SessionId, CaptureTime) override {}
  };
  auto of_kind = [](std::uint32_t seq) {
    Exchange e = sample(seq, "SELECT " + std::to_string(seq));
    if (seq % 4 == 1) e.answer.results = {mysql::Ok{1, 2, 2, 0, "", ""}};
    if (seq % 4 == 2) e.answer.results.erase(e.answer.results.begin() + 1, e.answer.results.end());
    if (seq % 4 == 3) e.command.parameters.clear();
    return e;
  };
  constexpr std::uint32_t count = 64;
  Folder folder;
  {
    RecordingWriter writer(folder / "a.dtap");
    for (std::uint32_t i = 0; i < count; ++i) {
      Exchange e = of_kind(i);
      writer.on_exchange(e);
    }
    writer.finish({});
  }
  Swapping sink;
  RecordingReader reader(folder / "a.dtap");
  reader.read(sink);
  REQUIRE(sink.kept.size() == count);
  for (std::uint32_t i = 0; i < count; ++i) require_equal(of_kind(i), sink.kept[i]);
}

TEST_CASE("the heads of a recording are those of its exchanges") {
  Folder folder;
  write_sample(folder / "a.dtap", 50);
  Collected whole, heads;
  RecordingReader(folder / "a.dtap").read(whole);
  Selection selection;
  selection.depth = Selection::Depth::heads;
  RecordingReader(folder / "a.dtap").read(heads, selection);
  REQUIRE(heads.exchanges.size() == whole.exchanges.size());
  REQUIRE(heads.sessions.size() == 1);
  for (std::size_t i = 0; i < heads.exchanges.size(); ++i) {
    CHECK(heads.exchanges[i].id == whole.exchanges[i].id);
    CHECK(heads.exchanges[i].request_first == whole.exchanges[i].request_first);
    CHECK(heads.exchanges[i].response_last == whole.exchanges[i].response_last);
    CHECK(heads.exchanges[i].user == whole.exchanges[i].user);
    CHECK(heads.exchanges[i].schema == whole.exchanges[i].schema);
    CHECK(heads.exchanges[i].command.code == whole.exchanges[i].command.code);
  }
}
