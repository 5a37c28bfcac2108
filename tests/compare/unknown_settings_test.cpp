// Sessions that the tap joined in their middle: what they had set is in no packet.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

namespace {

using Settings = compare::Comparer::Settings;

const std::vector<mysql::Column> columns{column("", "x", mysql::ColumnType::var_string)};
mysql::Answer shows(const std::string& value) { return rows_answer(columns, {{value}}); }

// A target that reads || as its sql_mode has it; the source joined strings.
struct Joined : Bench {
  explicit Joined(Settings settings) : Bench(compare::ComparerOptions()) {
    comparer.note_session({7}, "10.0.0.1", settings);
    target = [this](const std::string&, CaptureTime) {
      auto mode = asked_under.back().find("sql_mode");
      return shows(mode != asked_under.back().end() && mode->second.find("PIPES_AS_CONCAT") != std::string::npos ? joined : "0");
    };
  }
  std::string joined = "ab";
};

}  // namespace

TEST_CASE("what a session that was joined midstream may have read under another sql_mode is the replay's doing, proved by asking so") {
  Joined bench(Settings::unknown);
  bench.read(7, "SELECT 'a' || 'b' AS x", shows("ab"), shows("0"), at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/replay_artifact/confirmed");
  CHECK(bench.evidence().find("\"agrees_under_sql_mode\":\"PIPES_AS_CONCAT\"") != std::string::npos);
}

TEST_CASE("so are the columns' types that come of it") {
  Joined bench(Settings::unknown);
  const std::vector<mysql::Column> number{column("", "x", mysql::ColumnType::longlong)};
  auto as_joined = bench.target;
  bench.target = [&](const std::string& sql, CaptureTime now) {
    auto mode = bench.asked_under.back().find("sql_mode");
    return mode != bench.asked_under.back().end() ? as_joined(sql, now) : rows_answer(number, {{"0"}});
  };
  bench.read(7, "SELECT 'a' || 'b' AS x", shows("ab"), rows_answer(number, {{"0"}}), at(1s));
  bench.run_out();
  CHECK(bench.outcome() == "row_values/replay_artifact/confirmed column_metadata/replay_artifact/proved");
}

TEST_CASE("where no other mode makes it agree it stays a defect, and says what isn't known") {
  Joined bench(Settings::unknown);
  bench.joined = "ax";
  bench.read(7, "SELECT 'a' || 'b' AS x", shows("ab"), shows("0"), at(1s));
  bench.read(7, "SELECT x FROM people WHERE id = 1", shows("ab"), shows("0"), at(2s));
  bench.run_out();
  CHECK(bench.outcome(0) == "row_values/defect/confirmed");
  CHECK(bench.outcome(1) == "row_values/defect/confirmed");
  for (std::size_t i : {0, 1}) CHECK(bench.evidence(i).find("joined in its middle") != std::string::npos);
  // Nothing in the second text would be read otherwise: nothing was asked for that.
  for (const compare::SessionValues& values : bench.asked_under) CHECK((values.empty() || values.at("sql_mode") == "'PIPES_AS_CONCAT'"));
}

TEST_CASE("a session that was seen from its login, has set its mode since, or began anew is asked under no other") {
  const std::vector<std::string> befores{"", "SET SESSION sql_mode = 'STRICT_ALL_TABLES'", "SET sql_mode = CONCAT(@@sql_mode, ',ANSI')"};
  for (const std::string& before : befores) {
    CAPTURE(before);
    Joined bench(before.empty() ? Settings::known : Settings::unknown);
    if (!before.empty()) bench.seen(7, before, ok_answer(0), at(100ms), compare::Replayed::sent);
    bench.read(7, "SELECT 'a' || 'b' AS x", shows("ab"), shows("0"), at(1s));
    bench.run_out();
    const bool still_unknown = before.find("@@") != std::string::npos;
    CHECK(bench.outcome() == (still_unknown ? "row_values/replay_artifact/confirmed" : "row_values/defect/confirmed"));
  }
}

TEST_CASE("no question goes out that another mode would make anything but a read") {
  Joined bench(Settings::unknown);
  bench.read(7, "SELECT 'a\\' || ' INTO OUTFILE \"/x\" -- '", shows("ab"), shows("0"), at(1s));
  bench.run_out();
  for (const compare::SessionValues& values : bench.asked_under)
    if (auto mode = values.find("sql_mode"); mode != values.end()) CHECK(mode->second.find("NO_BACKSLASH_ESCAPES") == std::string::npos);
}
