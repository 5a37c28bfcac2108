// What keeps a recording small must not change it: statements' literals, rows that come again, segments and their index.
#include "recording_support.h"

#include <algorithm>
#include <fstream>

#include "test_support/property.h"

using namespace darktap;
using namespace darktap::session;
namespace fs = std::filesystem;

namespace {

struct Written {
  Folder folder;
  std::string path = folder / "a.dtap";
  std::size_t size = 0;

  template <class Fill>
  explicit Written(Fill&& fill) {
    RecordingWriter writer(path);
    fill(writer);
    writer.finish({});
    size = static_cast<std::size_t>(fs::file_size(path));
  }
  Collected read(const Selection& selection = {}) const {
    Collected collected;
    RecordingReader reader(path);
    reader.read(collected, selection);
    REQUIRE(reader.problem() == "");
    return collected;
  }
};

void put(RecordingWriter& writer, Exchange exchange) { writer.on_exchange(exchange); }

std::vector<std::string> rows_of(const Exchange& e) {
  std::vector<std::string> rows;
  const auto& set = std::get<mysql::ResultSet>(e.answer.results.at(0));
  for (std::size_t i = 0; i < set.rows.size(); ++i) rows.emplace_back(as_text(set.rows.row(i)));
  return rows;
}

std::string row_of(std::size_t number, std::size_t length) {
  std::string row(length, 'x');
  std::uint64_t digits = number * 0x9e3779b97f4a7c15U;
  for (std::size_t i = 0; i < std::min<std::size_t>(length, 8); ++i, digits >>= 8) row[i] = static_cast<char>(digits & 0xff);
  return row;
}

SessionInfo session_of(std::uint64_t id) {
  SessionInfo info;
  info.id = SessionId{id};
  info.server_version = "10.11";
  return info;
}

}  // namespace

TEST_CASE("a statement comes out of a recording byte by byte, whatever its bytes are") {
  std::vector<std::string> texts = {"", "'", "\"", "SELECT 'it''s', \"a\\\"b\", 'open", "SELECT 0, 00, 007, 0x1F, 1.5, 1e5, .5, -3, 18446744073709551616, 999999999999999999, 1000000000000000000",
                                    "/* trace=12 */ SELECT 1 /* open", "SELECT \x01 \x02 \x03", "\x03", "SELECT t1.a2, `3`, $4, a5 FROM t6", std::string("a\0b 'c\0d' 7", 11), "SELECT 'x\\", "/*", "*/", "/**/", "/*/"};
  Written written([&](RecordingWriter& writer) {
    std::uint32_t seq = 0;
    for (const std::string& text : texts) put(writer, query(1, seq++, text));
  });
  Collected collected = written.read();
  REQUIRE(collected.exchanges.size() == texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) CHECK(collected.exchanges[i].command.text == texts[i]);

  require_property("random statements", [](const std::vector<std::vector<std::uint8_t>>& choices) {
    // Few different bytes, so that quotes, digits, comments and markers meet.
    const std::string alphabet = "'\"\\/* 0123a.`\x01\x02\x03\xff\n";
    std::vector<std::string> random;
    for (const auto& choice : choices) {
      std::string& text = random.emplace_back();
      for (std::uint8_t c : choice) text += alphabet[c % alphabet.size()];
    }
    Written all([&](RecordingWriter& writer) {
      for (std::uint32_t i = 0; i < random.size(); ++i) put(writer, query(1, i, random[i]));
    });
    Collected back = all.read();
    RC_ASSERT(back.exchanges.size() == random.size());
    for (std::size_t i = 0; i < random.size(); ++i) RC_ASSERT(back.exchanges[i].command.text == random[i]);
  });
}

TEST_CASE("rows that come again are written once, and every row comes out as it was") {
  for (std::size_t length : {1U, 11U, 12U, 13U, 200U, 65'535U, 65'536U, 65'537U}) {
    std::vector<std::string> rows;
    for (std::size_t i = 0; i < 40; ++i) rows.push_back(row_of(i, length));
    std::vector<std::string> turned(rows.rbegin(), rows.rend());
    auto fill = [&](std::uint32_t times) {
      return [&, times](RecordingWriter& writer) {
        for (std::uint32_t i = 0; i < times; ++i) put(writer, query(1, i, "SELECT " + std::to_string(i), i % 2 == 0 ? rows : turned));
      };
    };
    Written once(fill(1)), often(fill(20));
    Collected collected = often.read();
    REQUIRE(collected.exchanges.size() == 20);
    for (std::uint32_t i = 0; i < 20; ++i) {
      CHECK(rows_of(collected.exchanges[i]) == (i % 2 == 0 ? rows : turned));
      CHECK(std::get<mysql::ResultSet>(collected.exchanges[i].answer.results[0]).row_count() == 40);
    }
    INFO("rows of " << length << " bytes: " << once.size << " bytes once, " << often.size << " bytes 20 times");
    if (length >= 200 && length <= 65'536) CHECK(often.size < 2 * once.size + 1000);
  }
}

TEST_CASE("rows beyond the window start a segment, and one beyond it in a single answer is written whole") {
  // 12 MiB or 2^18 rows are remembered; 15/16 of either ends the segment.
  constexpr std::size_t window = std::size_t{12} << 20;
  for (std::size_t bytes : {window / 16 * 15 - 65'536, window / 16 * 15, window + 65'536}) {
    std::size_t count = bytes / 32'768;
    std::vector<std::string> rows;
    for (std::size_t i = 0; i < count; ++i) rows.push_back(row_of(i, 32'768));
    Written written([&](RecordingWriter& writer) {
      for (std::uint32_t i = 0; i < 3; ++i) put(writer, query(1, i, "SELECT 1", rows));
    });
    Collected collected = written.read();
    REQUIRE(collected.exchanges.size() == 3);
    for (const Exchange& e : collected.exchanges) CHECK(rows_of(e) == rows);
  }
  std::vector<std::string> small;
  for (std::size_t i = 0; i < (1U << 18) + 5; ++i) small.push_back(row_of(i, 12));
  Written written([&](RecordingWriter& writer) {
    for (std::uint32_t i = 0; i < 2; ++i) put(writer, query(1, i, "SELECT 1", small));
  });
  for (const Exchange& e : written.read().exchanges) CHECK(rows_of(e) == small);
}

TEST_CASE("integers of every width and sign, and times in any unit, come out as they were") {
  using mysql::ColumnType;
  using mysql::Parameter;
  std::vector<Exchange> all;
  for (std::uint32_t i = 0; i < 64; ++i) {
    Exchange e = query(i % 3 + 1, i, "INSERT INTO t VALUES (?,?,?,?)");
    e.command.code = mysql::CommandCode::stmt_execute;
    e.command.statement_id = i * 0x1234567;
    e.request_first += std::chrono::nanoseconds(i * 1001);
    e.request_last += std::chrono::nanoseconds(i * 7919);
    std::uint64_t value = 0x8040201008040201U >> i;
    for (auto [type, width] : {std::pair{ColumnType::tiny, 1U}, {ColumnType::short_, 2U}, {ColumnType::long_, 4U}, {ColumnType::longlong, 8U}, {ColumnType::long_, 3U}, {ColumnType::var_string, 5U}}) {
      std::vector<std::byte> bytes;
      for (unsigned at = 0; at < width; ++at) bytes.push_back(static_cast<std::byte>(value >> 8 * at & 0xff));
      e.command.parameters.push_back({type, i % 2 == 0 ? Parameter::Sign::signed_ : Parameter::Sign::unsigned_, Parameter::Presence::value, "", bytes});
    }
    e.command.parameters.push_back({ColumnType::null, Parameter::Sign::signed_, Parameter::Presence::null, "", {}});
    all.push_back(std::move(e));
  }
  Written written([&](RecordingWriter& writer) {
    for (const Exchange& e : all) put(writer, e);
  });
  Collected collected = written.read();
  REQUIRE(collected.exchanges.size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Exchange &a = all[i], &b = collected.exchanges[i];
    CHECK(a.id == b.id);
    CHECK(a.command.statement_id == b.command.statement_id);
    CHECK(a.request_first == b.request_first);
    CHECK(a.request_last == b.request_last);
    CHECK(a.response_last == b.response_last);
    REQUIRE(a.command.parameters.size() == b.command.parameters.size());
    for (std::size_t p = 0; p < a.command.parameters.size(); ++p) CHECK(a.command.parameters[p].bytes == b.command.parameters[p].bytes);
  }
}

TEST_CASE("one session, and a window of time, are read without the rest of the file") {
  constexpr std::uint32_t seconds = 60;
  auto rows_at = [](std::uint32_t second) {
    std::vector<std::string> rows;
    for (std::size_t i = 0; i < 40; ++i) rows.push_back(row_of(second * 1000 + i, 16'384));  // a segment each 18 seconds
    return rows;
  };
  Written written([&](RecordingWriter& writer) {
    writer.on_session(session_of(1));
    writer.on_session(session_of(2));
    for (std::uint32_t i = 0; i < seconds; ++i) {
      if (i == 50) writer.on_session(session_of(3));
      put(writer, query(i < 50 ? i % 2 + 1 : i % 3 + 1, i, "SELECT c FROM t", rows_at(i)));
      if (i % 3 == 0) put(writer, query(i < 50 ? 1 : 3, i, "SELECT again", rows_at(i)));
      if (i == 40) writer.on_session_end(SessionId{2}, at_second(40));
      writer.flush();
    }
  });
  auto selected = [&](const Selection& selection, std::uint64_t& bytes_read) {
    Collected all = written.read(), chosen;
    RecordingReader reader(written.path);
    TapCounters counters = reader.read(chosen, selection);
    CHECK(counters.end == TapCounters::End::whole);
    bytes_read = reader.bytes_read();
    std::vector<const Exchange*> expected;
    for (const Exchange& e : all.exchanges)
      if (selection.wants(e.id.session) && selection.wants(e.request_first)) expected.push_back(&e);
    REQUIRE(!expected.empty());
    REQUIRE(chosen.exchanges.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(chosen.exchanges[i].id == expected[i]->id);
      CHECK(rows_of(chosen.exchanges[i]) == rows_of(*expected[i]));
    }
    for (const Exchange& e : chosen.exchanges) {
      CHECK(std::any_of(chosen.sessions.begin(), chosen.sessions.end(), [&](const SessionInfo& info) { return info.id == e.id.session && info.server_version == "10.11"; }));
    }
  };
  std::uint64_t bytes_read = 0;
  selected({.session = SessionId{3}, .from = {}, .to = {}}, bytes_read);
  CHECK(bytes_read < written.size / 2);
  selected({.session = {}, .from = at_second(20), .to = at_second(25)}, bytes_read);
  CHECK(bytes_read < written.size * 2 / 3);
  selected({.session = SessionId{1}, .from = at_second(55), .to = {}}, bytes_read);
  CHECK(bytes_read < written.size / 2);

  // Without its end the file has no index; blocks' headers lead the way.
  fs::resize_file(written.path, written.size - 200);
  Collected chosen;
  RecordingReader reader(written.path);
  CHECK(reader.read(chosen, {.session = {}, .from = at_second(20), .to = at_second(25)}).end == TapCounters::End::truncated);
  CHECK(chosen.exchanges.size() == 7);
  CHECK(reader.bytes_read() < written.size * 2 / 3);
}

TEST_CASE("a damaged block costs its own exchanges, and those of its segment that point to its rows, which say so") {
  std::vector<std::string> first, second;
  for (std::size_t i = 0; i < 20; ++i) {
    first.push_back(row_of(i, 300));
    second.push_back(row_of(1000 + i, 300));
  }
  std::uint64_t block = 0;
  Written written([&](RecordingWriter& writer) {
    writer.on_session(session_of(1));
    put(writer, query(1, 0, "SELECT first", first));
    writer.flush();
    block = writer.bytes_written();
    put(writer, query(1, 1, "SELECT second", second));
    writer.flush();
    put(writer, query(1, 2, "SELECT first", first));
    put(writer, query(1, 3, "SELECT second", second));
    put(writer, query(1, 4, "SELECT first", first));
  });
  std::fstream file(written.path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(block + 60));
  file.put('\x7f');
  file.close();
  Collected collected;
  RecordingReader reader(written.path);
  reader.read(collected);
  CHECK(reader.damage_count() == 1);
  CHECK(reader.damages().at(0).offset == block);
  CHECK(reader.without_rows() == 1);
  REQUIRE(collected.exchanges.size() == 4);
  CHECK(rows_of(collected.exchanges[1]) == first);
  CHECK_FALSE(collected.exchanges[2].is_observed());
  CHECK_THAT(collected.exchanges[2].answer.why_unobserved, Catch::Contains("damaged part of the recording"));
  CHECK(rows_of(collected.exchanges[3]) == first);
}

TEST_CASE("exchanges that are written over don't keep the storage of the largest answer") {
  Folder folder;
  const std::string path = folder / "sizes.dtap";
  constexpr std::uint32_t count = 2000;
  const std::vector<std::string> few{"\x01" "1"}, many(100, std::string("\x78") + std::string(120, 'x'));
  {
    RecordingWriter writer(path);
    for (std::uint32_t i = 0; i < count; ++i) {
      Exchange e = i % 7 == 0 ? query(1, i, "SELECT many", many) : query(1, i, "SELECT few", few);
      writer.on_exchange(e);
    }
    writer.finish({});
  }
  // Some are on their way at any time, and come back to be written over.
  struct OnTheirWay final : ExchangeSink {
    std::vector<Exchange> boxes = std::vector<Exchange>(100);
    std::size_t next = 0, large = 0, rows = 0;
    void on_session(const SessionInfo&) override {}
    void on_exchange(Exchange& e) override {
      rows += e.answer.row_count();
      std::swap(e, boxes[next++ % boxes.size()]);
    }
    void on_session_end(SessionId, CaptureTime) override {}
  } sink;
  RecordingReader(path).read(sink);
  for (const Exchange& e : sink.boxes) sink.large += e.answer.first_rows() != nullptr && e.answer.first_rows()->rows.capacity() > 2048 ? 1 : 0;
  CHECK(sink.rows == count + (count + 6) / 7 * 99);
  CHECK(sink.large <= 100 / 7 + 1);
}
