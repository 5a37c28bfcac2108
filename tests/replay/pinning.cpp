// What is set before a statement, and how the source's own clock is found in its answers.
#include "replay/pinning.h"

#include "replay/source_clock.h"
#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::replay;

namespace {

CaptureTime at(std::int64_t microseconds) { return CaptureTime(std::chrono::microseconds(microseconds)); }
constexpr std::int64_t noon = 1'700'000'000'123'456;  // 2023-11-14 22:13:20.123456 UTC

session::Exchange exchange(std::uint64_t session, std::uint32_t seq, const std::string& sql, std::int64_t request = noon, std::int64_t answer = noon + 500) {
  session::Exchange result;
  result.id = {SessionId{session}, seq};
  result.schema = "shop";
  result.command.code = mysql::CommandCode::query;
  result.command.text = sql;
  result.command.text_state = mysql::Command::Text::known;
  result.request_first = result.request_last = at(request);
  result.response_first = result.response_last = at(answer);
  return result;
}

session::Exchange with_ok(session::Exchange given, std::uint64_t affected, std::uint64_t id) {
  mysql::Ok ok;
  ok.affected_rows = affected;
  ok.last_insert_id = id;
  given.answer.results.emplace_back(ok);
  return given;
}

std::string pin(const session::Exchange& given) { return pin_for(given, sql::understand(given.command.text)); }

// Rows of the text protocol: each cell with its length in front.
session::Exchange with_row(session::Exchange given, const std::vector<mysql::Column>& columns, const std::vector<std::string>& cells) {
  mysql::ResultSet rows;
  rows.columns = columns;
  std::vector<std::byte> row;
  for (const std::string& cell : cells) {
    row.push_back(static_cast<std::byte>(cell.size()));
    for (char c : cell) row.push_back(static_cast<std::byte>(c));
  }
  rows.rows.add(row);
  given.answer.results.emplace_back(std::move(rows));
  return given;
}

mysql::Column column(const std::string& table, const std::string& name, mysql::ColumnType type, std::uint16_t flags = 0) {
  mysql::Column result;
  result.schema = table.empty() ? "" : "shop";
  result.table = result.org_table = table;
  result.name = result.org_name = name;
  result.type = type;
  result.flags = flags;
  return result;
}

constexpr std::uint16_t makes_ids = 512;

void see(SourceClock& clock, const session::Exchange& given) { clock.observe(given, sql::understand(given.command.text)); }

}  // namespace

TEST_CASE("A write is given the time at which the tap saw it, and the id that its first row was given") {
  CHECK(pin(with_ok(exchange(1, 0, "INSERT INTO t (a) VALUES (1)"), 1, 42)) == "SET timestamp=1700000000.123456, insert_id=42");
  CHECK(pin(with_ok(exchange(1, 0, "INSERT INTO t (a) VALUES (1), (2)"), 2, 42)) == "SET timestamp=1700000000.123456, insert_id=42");
  CHECK(pin(with_ok(exchange(1, 0, "UPDATE t SET a = 1"), 1, 0)) == "SET timestamp=1700000000.123456");
}

TEST_CASE("An id that was not made for a new row is not pinned") {
  CHECK(pin(with_ok(exchange(1, 0, "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 2"), 2, 42)) == "SET timestamp=1700000000.123456");
  CHECK(pin(with_ok(exchange(1, 0, "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)"), 2, 42)) == "SET timestamp=1700000000.123456");
  CHECK(pin(with_ok(exchange(1, 0, "INSERT INTO t (a) VALUES (LAST_INSERT_ID(7)) ON DUPLICATE KEY UPDATE a = 2"), 1, 42)) == "SET timestamp=1700000000.123456");
  CHECK(pin(with_ok(exchange(1, 0, "INSERT INTO t (a) VALUES (7) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)"), 1, 42)) == "SET timestamp=1700000000.123456, insert_id=42");
  CHECK(pin(with_ok(with_ok(exchange(1, 0, "INSERT INTO t (a) VALUES (1); INSERT INTO t (a) VALUES (1)"), 1, 42), 1, 43)) == "SET timestamp=1700000000.123456");
}

TEST_CASE("A read is given the time only where it asks for it") {
  CHECK(pin(exchange(1, 0, "SELECT NOW()")) == "SET timestamp=1700000000.123456");
  CHECK(pin(exchange(1, 0, "SELECT * FROM t WHERE a > CURDATE()")) == "SET timestamp=1700000000.123456");
  CHECK(pin(exchange(1, 0, "SELECT 1")).empty());
  CHECK(pin(exchange(1, 0, "BEGIN")).empty());
}

TEST_CASE("A time that a later answer shows of the row is the statement's own, whatever the time zone") {
  for (const char* shown : {"2023-11-14 22:13:20.123777", "2023-11-14 23:13:20.123777", "2023-11-15 03:43:20.123777", "2023-11-14 12:13:20.123777"}) {
    INFO(shown);
    SourceClock clock;
    see(clock, with_ok(exchange(1, 0, "INSERT INTO orders (customer, placed) VALUES (7, NOW(6))"), 1, 42));
    see(clock, with_row(exchange(2, 0, "SELECT id, placed FROM orders WHERE id = 42", noon + 9'000, noon + 9'500),
                        {column("orders", "id", mysql::ColumnType::longlong, makes_ids), column("orders", "placed", mysql::ColumnType::datetime)}, {"42", shown}));
    REQUIRE(clock.time_of({SessionId{1}, 0}));
    CHECK(*clock.time_of({SessionId{1}, 0}) == at(noon + 321));
  }
}

TEST_CASE("A time that can't be the statement's own is not taken for it") {
  for (const char* shown : {"2023-11-14 22:13:20.113777", "2023-11-14 22:13:20.133777", "2021-01-01 00:00:00", "2023-11-14 22:13:19", "0000-00-00 00:00:00", "soon"}) {
    INFO(shown);
    SourceClock clock;
    see(clock, with_ok(exchange(1, 0, "INSERT INTO orders (customer, placed) VALUES (7, NOW(6))"), 1, 42));
    see(clock, with_row(exchange(2, 0, "SELECT id, placed FROM orders", noon + 9'000),
                        {column("orders", "id", mysql::ColumnType::longlong, makes_ids), column("orders", "placed", mysql::ColumnType::datetime)}, {"42", shown}));
    CHECK_FALSE(clock.time_of({SessionId{1}, 0}));
  }
}

TEST_CASE("A row is known by what its statement names, too; another row or table tells nothing") {
  std::vector<mysql::Column> columns{column("users", "name", mysql::ColumnType::var_string), column("users", "seen", mysql::ColumnType::timestamp)};
  SourceClock clock;
  see(clock, with_ok(exchange(1, 0, "UPDATE users SET seen = NOW(6) WHERE name = 'ada'"), 1, 0));
  see(clock, with_row(exchange(1, 1, "SELECT name, seen FROM users", noon + 9'000), columns, {"bob", "2023-11-14 22:13:20.123777"}));
  CHECK(clock.known() == 0);
  see(clock, with_row(exchange(1, 2, "SELECT name, seen FROM users", noon + 9'000), columns, {"ada", "2023-11-14 22:13:20.123777"}));
  CHECK(clock.known() == 1);
}

TEST_CASE("A time is the statement's whose row it is, and that was asked for last before it: not one of the same customer, nor one that waited for the row's lock") {
  std::vector<mysql::Column> columns{column("orders", "id", mysql::ColumnType::longlong, makes_ids), column("orders", "customer", mysql::ColumnType::longlong), column("orders", "placed", mysql::ColumnType::datetime)};
  SourceClock clock;
  see(clock, with_ok(exchange(1, 0, "INSERT INTO orders (customer, placed) VALUES (7, NOW(6))", noon, noon + 5'000), 1, 42));
  see(clock, with_ok(exchange(2, 0, "INSERT INTO orders (customer, placed) VALUES (7, NOW(6))", noon + 3'000, noon + 6'000), 1, 43));
  see(clock, with_row(exchange(1, 1, "SELECT id, customer, placed FROM orders", noon + 9'000), columns, {"42", "7", "2023-11-14 22:13:20.123500"}));
  see(clock, with_row(exchange(2, 1, "SELECT id, customer, placed FROM orders", noon + 9'000), columns, {"43", "7", "2023-11-14 22:13:20.126500"}));
  CHECK(*clock.time_of({SessionId{1}, 0}) == at(noon + 44));
  CHECK(*clock.time_of({SessionId{2}, 0}) == at(noon + 3'044));
  see(clock, with_ok(exchange(3, 0, "UPDATE orders SET placed = NOW(6) WHERE id = 42", noon + 20'000, noon + 25'000), 1, 0));
  see(clock, with_ok(exchange(4, 0, "UPDATE orders SET placed = NOW(6) WHERE id = 42", noon + 21'000, noon + 28'000), 1, 0));
  see(clock, with_row(exchange(4, 1, "SELECT placed FROM orders WHERE id = 42", noon + 29'000), {columns[2]}, {"2023-11-14 22:13:20.144600"}));
  CHECK_FALSE(clock.time_of({SessionId{3}, 0}));
  CHECK(*clock.time_of({SessionId{4}, 0}) == at(noon + 21'144));
}

TEST_CASE("Of a row that was changed since, the key tells whose it was; a row without a name only its time") {
  std::vector<mysql::Column> columns{column("orders", "id", mysql::ColumnType::longlong, makes_ids), column("orders", "state", mysql::ColumnType::var_string), column("orders", "placed", mysql::ColumnType::datetime)};
  SourceClock clock;
  see(clock, with_ok(exchange(1, 0, "INSERT INTO orders (state, placed) VALUES ('new', NOW(6))", noon, noon + 5'000), 1, 42));
  see(clock, with_ok(exchange(2, 0, "INSERT INTO log VALUES (5, NOW(6))", noon, noon + 500), 1, 0));
  see(clock, with_row(exchange(3, 0, "SELECT id, state, placed FROM orders", noon + 9'000), columns, {"42", "paid", "2023-11-14 22:13:20.123500"}));
  see(clock, with_row(exchange(3, 1, "SELECT at FROM log", noon + 9'000), {column("log", "at", mysql::ColumnType::datetime)}, {"2023-11-14 22:13:20.123501"}));
  CHECK(*clock.time_of({SessionId{1}, 0}) == at(noon + 44));
  CHECK(*clock.time_of({SessionId{2}, 0}) == at(noon + 45));
}

TEST_CASE("Seconds tell the second: the clock is moved into it, no further") {
  SourceClock clock;
  std::int64_t late = 1'700'000'000'999'900;  // the server started it in the next second
  see(clock, with_ok(exchange(1, 0, "INSERT INTO orders (customer, placed) VALUES (7, NOW())", late, late + 500), 1, 42));
  see(clock, with_row(exchange(2, 0, "SELECT id, placed FROM orders", late + 9'000),
                      {column("orders", "id", mysql::ColumnType::longlong, makes_ids), column("orders", "placed", mysql::ColumnType::datetime)}, {"42", "2023-11-14 22:13:21"}));
  CHECK(*clock.time_of({SessionId{1}, 0}) == at(1'700'000'001'000'000));
}

TEST_CASE("An answer to NOW() tells its own time") {
  SourceClock clock;
  see(clock, with_row(exchange(1, 0, "SELECT NOW(6)"), {column("", "NOW(6)", mysql::ColumnType::datetime)}, {"2023-11-14 22:13:20.123500"}));
  CHECK(*clock.time_of({SessionId{1}, 0}) == at(noon + 44));
}

TEST_CASE("Watched rows and known times have a limit") {
  for (std::size_t limit : {1U, 2U, 3U}) {
    SourceClock clock({.watched_rows = limit, .known = 2});
    for (std::uint32_t n = 0; n < 3; ++n) see(clock, with_ok(exchange(1, n, "INSERT INTO orders (placed) VALUES (NOW(6))"), 1, n + 1));
    for (std::uint32_t n = 0; n < 3; ++n)
      see(clock, with_row(exchange(2, n, "SELECT id, placed FROM orders"),
                          {column("orders", "id", mysql::ColumnType::longlong, makes_ids), column("orders", "placed", mysql::ColumnType::datetime)},
                          {std::to_string(n + 1), "2023-11-14 22:13:20.123777"}));
    CHECK(clock.known() == std::min<std::size_t>(limit, 2));
    CHECK(clock.time_of({SessionId{1}, 2}).has_value() == (limit < 3));
  }
}
