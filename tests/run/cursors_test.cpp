// Rows that were fetched through cursors, joined to the execute that opened them.
#include "run/cursors.h"

#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::run;
using How = Cursors::Judged::How;

namespace {

constexpr std::uint16_t open_cursor = mysql::status_flag::cursor_exists, last_sent = mysql::status_flag::last_row_sent;

// A binary row of one BIGINT.
std::vector<std::byte> row_of(std::uint8_t value) {
  std::vector<std::byte> row(10);
  row[2] = std::byte{value};
  return row;
}

mysql::ResultSet rows(std::initializer_list<std::uint8_t> values, std::uint16_t status, std::size_t kept = 1000) {
  mysql::ResultSet set;
  mysql::Column column;
  column.name = "a";
  column.type = mysql::ColumnType::longlong;
  set.columns = std::vector<mysql::Column>{column};
  set.format = mysql::RowFormat::binary;
  set.status = status;
  for (std::uint8_t value : values) {
    set.add(row_of(value), set.rows.size() < kept ? mysql::ResultSet::Keep::yes : mysql::ResultSet::Keep::no);
  }
  return set;
}

session::Exchange exchange(std::uint32_t seq, mysql::CommandCode code, mysql::ResultSet set, std::uint32_t statement = 1) {
  session::Exchange result;
  result.id = {SessionId{1}, seq};
  result.command.code = code;
  result.command.cursor_flags = code == mysql::CommandCode::stmt_execute ? 1 : 0;
  result.command.statement_id = statement;
  result.answer.results.emplace_back(std::move(set));
  return result;
}
session::Exchange execute(std::uint32_t seq = 0) { return exchange(seq, mysql::CommandCode::stmt_execute, rows({}, open_cursor)); }
session::Exchange fetch(std::uint32_t seq, std::initializer_list<std::uint8_t> values, std::uint16_t status, std::size_t kept = 1000) {
  return exchange(seq, mysql::CommandCode::stmt_fetch, rows(values, status, kept));
}

void answer(Cursors& cursors, std::initializer_list<std::uint8_t> values, const char* sql = "SELECT a FROM t ORDER BY a LIMIT 1", std::uint32_t seq = 0) {
  replay::TargetAnswer target;
  target.answer.results.emplace_back(rows(values, 0));
  auto meaning = std::make_shared<sql::Meaning>(sql::understand(sql));
  if (std::string_view(sql).find("LIMIT") != std::string_view::npos) meaning->order.guarantee = sql::OrderGuarantee::total;
  cursors.answered(execute(seq), meaning, std::move(target));
}

}  // namespace

TEST_CASE("A cursor that was fetched to its end is one answer of all its rows, whoever comes first") {
  for (bool target_is_first : {true, false}) {
    Cursors cursors;
    cursors.open(execute());
    if (target_is_first) answer(cursors, {1, 2, 3});
    CHECK(cursors.fetched(fetch(1, {1, 2}, open_cursor)));
    CHECK_FALSE(cursors.next());
    CHECK(cursors.fetched(fetch(2, {3}, last_sent)));
    if (!target_is_first) answer(cursors, {1, 2, 3});
    auto judged = cursors.next();
    REQUIRE(judged);
    CHECK(judged->how == How::whole);
    CHECK(judged->fetches.size() == 2);
    const mysql::ResultSet* whole = judged->exchange.answer.first_rows();
    CHECK(whole->rows.size() == 3);
    CHECK(whole->digests() == rows({1, 2, 3}, 0).digests());
    CHECK_FALSE(cursors.fetched(fetch(3, {4}, last_sent)));  // it is no longer open
  }
}

TEST_CASE("A cursor that was closed early is equal only where an order was promised and the first rows are the same") {
  struct Case { const char* sql; std::initializer_list<std::uint8_t> target; How how; };
  for (const Case& each : {Case{"SELECT a FROM t ORDER BY a LIMIT 9", {1, 2, 3}, How::equal}, Case{"SELECT a FROM t ORDER BY a LIMIT 9", {1, 3}, How::left},
                           Case{"SELECT a FROM t ORDER BY a LIMIT 9", {1}, How::left}, Case{"SELECT a FROM t", {1, 2, 3}, How::left}}) {
    Cursors cursors;
    cursors.open(execute());
    cursors.fetched(fetch(1, {1, 2}, open_cursor));
    answer(cursors, each.target, each.sql);
    cursors.close(SessionId{1}, 1);
    auto judged = cursors.next();
    REQUIRE(judged);
    CHECK(judged->how == each.how);
    if (each.how == How::left) CHECK(judged->reason == Cursors::closed_early);
  }
}

TEST_CASE("What is not known of a cursor is said, and its fetches come back") {
  Cursors cursors;
  cursors.open(execute());
  session::Exchange lost = fetch(1, {}, 0);
  lost.answer = {};
  lost.answer.state = mysql::Answer::State::unobserved;
  CHECK(cursors.fetched(lost));
  CHECK(cursors.fetched(fetch(2, {1}, last_sent)));
  answer(cursors, {1});
  CHECK(cursors.next()->reason == Cursors::fetch_unobserved);

  cursors.open(execute(3));
  CHECK(cursors.fetched(fetch(4, {1, 2, 3}, last_sent, 2)));
  answer(cursors, {1, 2, 3}, "SELECT a FROM t", 3);
  CHECK(cursors.next()->reason == Cursors::not_kept);

  cursors.open(execute(5));
  CHECK(cursors.fetched(fetch(6, {1}, open_cursor)));
  cursors.drop(execute(5), store::Bin::target_failed, "timeout");
  auto dropped = cursors.next();
  CHECK(dropped->fetches.size() == 1);
  CHECK(dropped->bin == store::Bin::target_failed);
  CHECK_FALSE(dropped->meaning);

  cursors.open(execute(7));
  cursors.open(execute(8));  // executed again: the first one is over
  answer(cursors, {1}, "SELECT a FROM t", 7);
  CHECK(cursors.next()->exchange.id.seq == 7);
  CHECK_FALSE(cursors.next());
}

TEST_CASE("A cursor keeps so many rows and bytes, and digests cover all; fetches are remembered up to a limit") {
  for (std::size_t limit : {2U, 3U, 4U}) {
    CursorLimits limits;
    limits.rows = limit;
    Cursors cursors(limits);
    cursors.open(execute());
    cursors.fetched(fetch(1, {1, 2, 3}, last_sent));
    answer(cursors, {1, 2, 3});
    auto judged = cursors.next();
    CHECK(judged->exchange.answer.first_rows()->rows.size() == std::min<std::size_t>(limit, 3));
    CHECK(judged->exchange.answer.first_rows()->row_count() == 3);
  }
  for (std::size_t bytes : {29U, 30U, 31U}) {
    for (bool of_all : {false, true}) {
      CursorLimits limits;
      (of_all ? limits.all_bytes : limits.bytes) = bytes;
      Cursors cursors(limits);
      cursors.open(execute());
      cursors.fetched(fetch(1, {1, 2, 3}, last_sent));
      answer(cursors, {1, 2, 3});
      CHECK(cursors.next()->exchange.answer.first_rows()->rows.size() == (bytes < 30 ? 2 : 3));
    }
  }
  for (std::size_t fetches : {1U, 2U, 3U}) {
    CursorLimits limits;
    limits.fetches = fetches;
    Cursors cursors(limits);
    cursors.open(execute());
    CHECK(cursors.fetched(fetch(1, {1}, open_cursor)));
    CHECK(cursors.fetched(fetch(2, {2}, open_cursor)) == (fetches >= 2));
    cursors.close(SessionId{1}, 1);
    answer(cursors, {1, 2, 3});
    auto judged = cursors.next();
    CHECK(judged->fetches.size() == std::min<std::size_t>(fetches, 2));
    CHECK((judged->how == How::equal) == (fetches >= 2));
  }
}
