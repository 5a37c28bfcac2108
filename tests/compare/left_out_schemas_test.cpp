// Schemas whose CREATE the run did not send.
#include "bench.h"
#include "test_support/catch.h"

using namespace fake;

TEST_CASE("a schema that the target lacks since its CREATE was left out is our doing, any other a defect") {
  for (const char* created : {"CREATE SCHEMA `made`", "create database if not exists made default character set utf8", "CREATE SCHEMA other"}) {
    CAPTURE(created);
    Bench bench{compare::ComparerOptions()};
    bench.schema = "";
    bench.seen(1, created, ok_answer(1), at(100ms), compare::Replayed::not_sent);
    bench.seen(2, "CREATE SCHEMA IF NOT EXISTS other", ok_answer(1), at(3s), compare::Replayed::not_sent);
    bench.seen(2, created, ok_answer(1), at(4s), compare::Replayed::not_sent);  // again: its first reads are judged with a later one known
    bench.read(1, "USE made", ok_answer(0), error_answer(1049, "Unknown database 'made'"), at(1s));
    bench.schema = "made";
    bench.read(1, "SELECT 1", rows_answer({column("", "1", mysql::ColumnType::longlong)}, {{"1"}}), error_answer(1049, "Unknown database 'made'"), at(2s));
    bench.target = [](const std::string&, CaptureTime) { return error_answer(1049, "Unknown database 'made'"); };
    bench.run_out();
    const bool is_ours = std::string(created).find("made") != std::string::npos;
    CHECK(bench.outcome(0) == (is_ours ? "error_only_target/skipped_write/proved" : "error_only_target/defect/proved"));
    CHECK(bench.outcome(1) == (is_ours ? "error_only_target/skipped_write/proved" : "error_only_target/defect/confirmed"));
  }
}
