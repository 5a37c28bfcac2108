// Seeded worlds in which every kind of difference is planted, each with the one verdict that is right: wrong cells of each sort,
// errors, metadata, lag with and without a seen write, writes that the run left out, noise. Orders and layouts are shuffled throughout.
#include <random>

#include "bench.h"
#include "seeds.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

using Replayed = compare::Replayed;
using Follows = compare::ComparerOptions::TargetFollows;

struct Expected {
  std::string planted, outcome;  // outcome: as Bench::outcome tells it; "A or B" where both are true
};

class World {
 public:
  World(std::uint64_t seed, Follows follows) : random_(seed), follows_(follows), source_(history_, seed * 5 + 1), reference_(history_, seed * 5 + 2), target_(history_, seed * 5 + 3) {
    history_.definitions["people"] = {{{"id", mysql::ColumnType::long_},
                                       {"name", mysql::ColumnType::var_string},
                                       {"city", mysql::ColumnType::var_string},
                                       {"score", mysql::ColumnType::long_},
                                       {"balance", mysql::ColumnType::newdecimal}},
                                      "id"};
    for (int id = 1; id <= 60; ++id) history_.put(at(0ns) - years, "people", person(id));
    // Rows that are planted wrong are never written, so that nothing heals them.
    for (int id : {101, 102, 103, 104, 105, 106}) {
      Row row = person(id);
      row["name"] = "Planted";
      row["balance"] = "1.50";
      if (id == 102) row["city"] = null_value;
      history_.put(at(0ns) - years, "people", row);
    }
    target_.corrupted[{"people", "101"}] = {{"name", "planted"}};
    target_.corrupted[{"people", "102"}] = {{"city", ""}};
    target_.corrupted[{"people", "103"}] = {{"name", "Planted "}};
    target_.corrupted[{"people", "104"}] = {{"score", "77"}};
    target_.corrupted[{"people", "105"}] = {};
    target_.corrupted[{"people", "106"}] = {{"balance", "1.5"}};
    target_.extra["people"].push_back({{"id", "900"}, {"name", "ghost"}, {"city", "Atlantis"}, {"score", "3"}, {"balance", "2.00"}});
    reference_.lag = std::chrono::milliseconds(pick(0, 20));
    // One that doesn't follow never gets what is written here.
    target_.lag = follows == Follows::no ? years / 2 : std::chrono::nanoseconds(std::chrono::milliseconds(pick(100, 1500)));
  }

  // One statement after the other, in an order that the seed decides; each is judged before the next.
  Confusion run(std::uint64_t seed) {
    Confusion confusion;
    std::vector<Expected (World::*)()> kinds{&World::same, &World::wrong_cell, &World::missing_row, &World::extra_row, &World::scale, &World::wrong_in_list, &World::errors, &World::headers,
                                             &World::warnings, &World::noise, &World::unknown_noise, &World::shuffled, &World::deadlock};
    if (follows_ == Follows::yes) {
      for (auto kind : {&World::own_write, &World::others_write, &World::deleted, &World::unseen_write, &World::racing_write, &World::uncommitted, &World::rolled_back, &World::moved_on, &World::healed}) kinds.push_back(kind);
    } else {
      for (auto kind : {&World::left_out, &World::left_out_of_list, &World::left_out_beside_wrong, &World::affected, &World::generated_id}) kinds.push_back(kind);
    }
    std::shuffle(kinds.begin(), kinds.end(), random_);
    for (auto kind : kinds) {
      compare::ComparerOptions options = Bench::with_reference();
      options.questions_per_second = 1000;
      options.target_follows = follows_;
      noise_ = false;
      Bench bench(options);
      bench.target = [this](const std::string& sql, CaptureTime now) { return answer(target_, sql, now); };
      bench.reference = [this](const std::string& sql, CaptureTime now) { return answer(reference_, sql, now); };
      bench_ = &bench;
      now_ += 90s;  // beyond the window in which a write explains a read
      Expected expected = (this->*kind)();
      bench.run_out();
      std::string outcome = bench.outcome();
      INFO("seed " << seed << ": " << expected.planted << " -> " << outcome << ", expected " << expected.outcome << "\n" << (outcome == "match" ? "" : bench.judgements[0].sql + "\n" + bench.evidence()));
      CHECK((" or " + expected.outcome + " or ").find(" or " + outcome + " or ") != std::string::npos);
      confusion.count(expected.planted, outcome == "match" ? outcome : std::string(to_string(bench.judgements[0].verdicts[0].cause)));
    }
    return confusion;
  }

 private:
  static constexpr auto years = std::chrono::hours(24 * 365 * 10);

  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  Row person(int id) {
    static const char* cities[] = {"Oslo", "oslo", "Rome", "Bern", "OSLO"};
    return {{"id", std::to_string(id)}, {"name", "n" + std::to_string(pick(1, 1000))}, {"city", cities[pick(0, 4)]}, {"score", std::to_string(pick(1, 6))}, {"balance", std::to_string(pick(1, 99)) + ".25"}};
  }
  mysql::Answer answer(const MiniServer& server, const std::string& sql, CaptureTime now) {
    mysql::Answer result = server.answer(sql, now);
    if (!noise_) return result;
    // The last column of each row is drawn anew each time.
    std::string draw = std::to_string(random_());
    return rows_answer({column("people", "id", mysql::ColumnType::long_), column("people", "seen_by", mysql::ColumnType::var_string)}, {{"7", draw}});
  }
  // A read at now_ with both servers' own answers.
  void read(const std::string& sql) { read(sql, answer(source_, sql, now_), answer(target_, sql, now_ + 2ms)); }
  void read(const std::string& sql, mysql::Answer source, mysql::Answer target) { bench_->read(1, sql, std::move(source), std::move(target), now_); }
  // A write that the source answers a millisecond later; the history has it half way through.
  std::string change(int id, const Row& row) {
    history_.put(now_ + 500us, "people", row);
    return "UPDATE people SET name = '" + row.at("name") + "', city = '" + row.at("city") + "', score = " + row.at("score") + ", balance = " + row.at("balance") + " WHERE id = " + std::to_string(id);
  }
  Row renamed(int id) {
    Row row = person(id);
    row["name"] = "w" + std::to_string(++writes_);
    return row;
  }
  std::string of(int id) { return "SELECT id, name, city, score, balance FROM people WHERE id = " + std::to_string(id); }

  // Rows 41 to 60 are never written.
  Expected same() {
    read(of(pick(41, 60)));
    return {"the same", "match"};
  }
  Expected wrong_cell() {
    read(of(pick(101, 104)));
    return {"case, NULL for '', a trailing blank, another number", "row_values/defect/confirmed"};
  }
  Expected missing_row() {
    read(of(105));
    return {"a missing row", "missing_rows/defect/confirmed"};
  }
  Expected extra_row() {
    read("SELECT id, name FROM people WHERE city = 'Atlantis'");
    return {"an extra row", "extra_rows/defect/confirmed"};
  }
  Expected scale() {
    read(of(106));
    return {"the scale of a DECIMAL", "row_values/normalization/proved"};
  }
  Expected wrong_in_list() {
    static const char* lists[] = {"SELECT id, name, score FROM people WHERE id IN (3, 101, 104) ORDER BY city", "SELECT id, name, score FROM people WHERE id IN (5, 104, 7)", "SELECT GROUP_CONCAT(name) FROM people WHERE id IN (1, 103)"};
    read(lists[pick(0, 2)]);
    return {"a wrong row in a shuffled list", "row_values/defect/confirmed"};
  }
  Expected shuffled() {
    static const char* lists[] = {"SELECT id, name FROM people WHERE id IN (41, 42, 43, 44, 45, 46, 47, 48)", "SELECT id, name FROM people WHERE id IN (41, 42, 43, 44, 45) ORDER BY city", "SELECT GROUP_CONCAT(id) FROM people WHERE id IN (41, 42, 43, 44, 45)"};
    read(lists[pick(0, 2)]);
    return {"the same rows in another order", "match or row_order/order_undefined/proved or row_order/order_undefined/confirmed or row_values/order_undefined/proved"};
  }
  Expected errors() {
    std::string sql = "SELECT nothing FROM nowhere";
    struct Pair {
      std::uint16_t source, target;
      const char* message;
      const char* planted;
      const char* outcome;
    };
    static const Pair pairs[] = {{1146, 1146, "Table 'shop.nowhere' doesn't exist", "one class of error", "match"},
                                 {1146, 1105, "VT05004: table 'nowhere' does not exist", "one class of error", "match"},
                                 {1064, 1105, "syntax error at position 12", "one class of error", "match"},
                                 {1146, 1054, "Unknown column", "another error", "error_differs/defect/confirmed"},
                                 {0, 1146, "Table 'shop.nowhere' doesn't exist", "an error on the target only", "error_only_target/defect/confirmed"},
                                 {0, 1064, "You have an error in your SQL syntax", "unsupported by the target", "error_only_target/unsupported/proved"},
                                 {0, 1235, "This version doesn't yet support it", "unsupported by the target", "error_only_target/unsupported/proved"},
                                 {0, 1105, "VT12001: unsupported: in scatter query", "unsupported by the target", "error_only_target/unsupported/proved"},
                                 {1054, 0, "Unknown column", "an error on the source only", "error_only_source/defect/confirmed"}};
    const Pair& one = pairs[pick(0, 8)];
    mysql::Answer rows = rows_answer({column("nowhere", "nothing", mysql::ColumnType::long_)}, {{"1"}});
    auto side = [&](std::uint16_t code) { return code == 0 ? rows : error_answer(code, one.message); };
    mysql::Answer from_source = side(one.source), from_target = side(one.target);
    bench_->reference = [=](const std::string&, CaptureTime) { return from_source; };
    bench_->target = [=](const std::string&, CaptureTime) { return from_target; };
    read(sql, from_source, from_target);
    return {one.planted, one.outcome};
  }
  Expected deadlock() {
    std::string sql = of(pick(41, 60));
    read(sql, answer(source_, sql, now_), error_answer(pick(0, 1) == 0 ? 1213 : 1205, "try restarting transaction"));
    return {"a deadlock on the target, gone when asked again", "error_only_target/nondeterministic/confirmed"};
  }
  Expected headers() {
    std::string sql = "SELECT id, name FROM people WHERE id = 3";
    mysql::Column second = column("people", "name", mysql::ColumnType::var_string);
    static const char* names[] = {"Name", ":vtg1"};
    int kind = pick(0, 2);
    if (kind < 2) second.name = names[kind];
    else second.type = mysql::ColumnType::datetime;
    std::string name = answer_name(3);
    read(sql, answer(source_, sql, now_), rows_answer({column("people", "id", mysql::ColumnType::long_), second}, {{"3", name}}));
    if (kind == 1) return {"vtgate's header of a literal", "column_metadata/normalization/proved"};
    return {"another name or type of a column", kind == 0 ? "column_metadata/defect/proved" : "column_metadata/defect/proved or row_values/defect/confirmed column_metadata/defect/proved"};
  }
  Expected warnings() {
    std::string sql = of(pick(1, 40));
    mysql::Answer other = answer(source_, sql, now_);
    std::get<mysql::ResultSet>(other.results[0]).warnings = 2;
    read(sql, answer(source_, sql, now_), other);
    return {"warnings", "warnings/defect/proved"};
  }
  Expected noise() {
    std::string sql = "SELECT id, UUID() AS u FROM people WHERE id = 9";
    read(sql);
    return {"a nondeterministic function", "row_values/nondeterministic/proved"};
  }
  Expected unknown_noise() {
    noise_ = true;
    read("SELECT id, seen_by FROM people WHERE id = 7");
    return {"noise that no function tells of", "row_values/nondeterministic/confirmed"};
  }

  Expected own_write() {
    int id = pick(1, 40);
    bench_->seen(1, change(id, renamed(id)), ok_answer(1), now_);
    now_ += std::chrono::milliseconds(pick(2, 90));
    read(of(id));
    return {"behind a seen write", "row_values/read_after_write/confirmed"};
  }
  Expected others_write() {
    int id = pick(1, 40);
    bench_->seen(2, change(id, renamed(id)), ok_answer(1), now_);
    now_ += std::chrono::milliseconds(pick(2, 90));
    read("SELECT id, name FROM people WHERE id IN (" + std::to_string(id) + ", 50, 51, 52)");
    return {"behind a seen write", "row_values/read_after_write/confirmed"};
  }
  Expected deleted() {
    int id = 1000 + ++writes_;
    Row row = person(id);
    history_.put(now_ - 30s, "people", row);
    history_.remove(now_ + 500us, "people", row);
    bench_->seen(2, "DELETE FROM people WHERE id = " + std::to_string(id), ok_answer(1), now_);
    now_ += std::chrono::milliseconds(pick(2, 90));
    read(of(id));
    return {"behind a seen write", "extra_rows/read_after_write/confirmed"};
  }
  Expected unseen_write() {
    int id = pick(1, 40);
    change(id, renamed(id));
    now_ += std::chrono::milliseconds(pick(2, 90));
    read(of(id));
    return {"behind, no seen write", "row_values/stale_read/confirmed"};
  }
  // Its OK comes after the read was sent: the read could not expect it.
  Expected racing_write() {
    int id = pick(1, 40);
    std::string sql = change(id, renamed(id));
    session::Exchange write = bench_->exchange(2, sql, ok_answer(1), now_);
    write.response_first = write.response_last = now_ + 60ms;
    bench_->comparer.observe(write, sql::understand(sql), Replayed::not_sent);
    now_ += 10ms;
    read(of(id));
    return {"behind a write in flight", "row_values/stale_read/confirmed"};
  }
  Expected uncommitted() {
    int id = pick(1, 40);
    Row row = renamed(id);
    std::string sql = "UPDATE people SET name = '" + row["name"] + "' WHERE id = " + std::to_string(id);
    std::uint16_t open = mysql::status_flag::in_transaction;
    bench_->seen(1, "BEGIN", ok_answer(0, 0, open), now_);
    bench_->seen(1, sql, ok_answer(1, 0, open), now_ + 1ms);
    now_ += 20ms;
    mysql::Answer old = answer(source_, of(id), now_);
    read(of(id), rows_answer(std::get<mysql::ResultSet>(old.results[0]).columns, {{row["id"], row["name"], "Rome", "1", "1.25"}}), old);
    return {"a session's own open transaction", "row_values/read_after_write/confirmed"};
  }
  // What was rolled back explains nothing.
  Expected rolled_back() {
    std::uint16_t open = mysql::status_flag::in_transaction;
    bench_->seen(1, "BEGIN", ok_answer(0, 0, open), now_);
    bench_->seen(1, "UPDATE people SET name = 'x' WHERE id = 101", ok_answer(1, 0, open), now_ + 1ms);
    bench_->seen(1, "ROLLBACK", ok_answer(0), now_ + 2ms);
    now_ += 10ms;
    read(of(101));
    return {"case, NULL for '', a trailing blank, another number", "row_values/defect/confirmed"};
  }
  // The source's answer was read just before a write that nobody saw; target and reference show the new row.
  Expected moved_on() {
    int id = pick(1, 40);
    mysql::Answer before = answer(source_, of(id), now_);
    change(id, renamed(id));
    CaptureTime caught_up = now_ + 3s;
    read(of(id), before, answer(target_, of(id), caught_up));
    bench_->target = [this, caught_up](const std::string& sql, CaptureTime now) { return answer(target_, sql, std::max(now, caught_up)); };
    return {"the source has moved on", "row_values/data_moved/confirmed"};
  }
  // A wrong name beside a city that is behind: the write mends both, and touches one.
  Expected healed() {
    int id = pick(1, 40);
    Row row = source_row(id);
    row["city"] = "Healed";
    history_.put(now_ + 500us, "people", row);
    bench_->seen(1, "UPDATE people SET city = 'Healed' WHERE id = " + std::to_string(id), ok_answer(1), now_);
    now_ += 20ms;
    CaptureTime healed = now_ + target_.lag;
    mysql::Answer right = answer(source_, of(id), now_);
    mysql::Answer wrong = rows_answer(std::get<mysql::ResultSet>(right.results[0]).columns, {{row["id"], "planted", "Rome", row["score"], row["balance"]}});
    bench_->target = [=](const std::string&, CaptureTime now) { return now < healed ? wrong : right; };
    read(of(id), right, wrong);
    return {"a wrong cell that a write happened to mend", "row_values/stale_read/confirmed"};
  }
  std::string answer_name(int id) { return history_.rows("people", now_).at(std::to_string(id)).at("name"); }
  Row source_row(int id) { return history_.rows("people", now_).at(std::to_string(id)); }

  Expected left_out() {
    int id = pick(1, 40);
    bench_->seen(2, change(id, renamed(id)), ok_answer(1), now_, pick(0, 1) == 0 ? Replayed::not_sent : Replayed::rolled_back);
    now_ += 50ms;
    read(of(id));
    return {"a write that the run left out", "row_values/skipped_write/proved"};
  }
  Expected left_out_of_list() {
    int id = pick(1, 20);
    bench_->seen(2, change(id, renamed(id)), ok_answer(1), now_);
    now_ += 50ms;
    read("SELECT GROUP_CONCAT(name) FROM people WHERE id IN (" + std::to_string(id) + ", 45, 46)");
    // Rows of earlier kinds are behind as well: their writes were left out in this world, too.
    return {"a write that the run left out", "row_values/skipped_write/confirmed or row_values/skipped_write/proved"};
  }
  Expected left_out_beside_wrong() {
    int id = pick(1, 40);
    bench_->seen(2, change(id, renamed(id)), ok_answer(1), now_);
    now_ += 50ms;
    read("SELECT id, name, score FROM people WHERE id IN (" + std::to_string(id) + ", 104)");
    return {"a wrong row beside one whose write was left out", "row_values/defect/confirmed"};
  }
  Expected affected() {
    read("UPDATE people SET score = 1 WHERE city = 'Oslo'", ok_answer(3), ok_answer(2));
    return {"affected rows", "affected_rows/defect/proved"};
  }
  Expected generated_id() {
    read("INSERT INTO people (name) VALUES ('x')", ok_answer(1, 70), ok_answer(1, 71));
    return {"an id that each server generates", "last_insert_id/replay_artifact/assumed"};
  }

  std::mt19937_64 random_;
  Follows follows_;
  History history_;
  MiniServer source_, reference_, target_;
  Bench* bench_ = nullptr;
  CaptureTime now_ = at(100s);
  int writes_ = 0;
  bool noise_ = false;
};

Confusion simulate(std::uint64_t first, std::uint64_t last) {
  Confusion all;
  for (std::uint64_t seed = first; seed <= last; ++seed) all.add(World(seed, seed % 2 == 0 ? Follows::yes : Follows::no).run(seed));
  return all;
}

}  // namespace

TEST_CASE("every planted kind is reported as what it is, seeds 1 to 500") { simulate(1, seeds_a_test); }
TEST_CASE("every planted kind is reported as what it is, seeds 501 to 1000") { simulate(501, 500 + seeds_a_test); }

TEST_CASE("every planted kind is reported as what it is, seeds as wanted", "[.][wanted]") {
  auto [first, last] = wanted_seeds();
  simulate(first, last).print();
}
