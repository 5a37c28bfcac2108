// A write's clock functions as expressions of a literal.
#include "replay/written_time.h"

#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::replay;
using namespace std::chrono_literals;

namespace {

std::string written(const std::string& text, TargetClock clock = TargetClock::its_own) {
  return with_time_written_in(text, sql::understand(text), {}, CaptureTime(1'700'000'000'250ms), clock).value_or("as it was");
}

}  // namespace

TEST_CASE("Each clock function becomes the source's time, with the digits that it asked for") {
  CHECK(written("INSERT INTO t VALUES (NOW(), now(3), CURRENT_TIMESTAMP, current_timestamp(6), LOCALTIME(1))") ==
        "INSERT INTO t VALUES (FROM_UNIXTIME(1700000000), FROM_UNIXTIME(1700000000.250), FROM_UNIXTIME(1700000000), FROM_UNIXTIME(1700000000.250000), FROM_UNIXTIME(1700000000.2))");
  CHECK(written("UPDATE t SET a = CURDATE(), b = CURTIME(2), c = UTC_TIMESTAMP(3), d = UTC_DATE, e = UTC_TIME(), f = UNIX_TIMESTAMP()") ==
        "UPDATE t SET a = DATE(FROM_UNIXTIME(1700000000)), b = TIME(FROM_UNIXTIME(1700000000.25)), c = TIMESTAMP'2023-11-14 22:13:20.250', d = DATE'2023-11-14', e = TIME'22:13:20', f = 1700000000");
  CHECK(written("INSERT INTO t (a) VALUES (UNIX_TIMESTAMP(NOW() - INTERVAL 1 DAY)) /* NOW() */") ==
        "INSERT INTO t (a) VALUES (UNIX_TIMESTAMP(FROM_UNIXTIME(1700000000) - INTERVAL 1 DAY)) /* NOW() */");
  CHECK(written("DELETE FROM t WHERE at < SYSDATE(3) - INTERVAL 1 HOUR AND b = 'NOW()'") == "DELETE FROM t WHERE at < FROM_UNIXTIME(1700000000.250) - INTERVAL 1 HOUR AND b = 'NOW()'");
}

TEST_CASE("Where NOW() follows what the target is told, SYSDATE() alone is written in") {
  CHECK(written("INSERT INTO t VALUES (NOW(), SYSDATE())", TargetClock::told_of_now) == "INSERT INTO t VALUES (NOW(), FROM_UNIXTIME(1700000000))");
  CHECK(written("INSERT INTO t VALUES (NOW())", TargetClock::told_of_now) == "as it was");
  CHECK(written("INSERT INTO t VALUES (NOW(), SYSDATE())", TargetClock::told) == "as it was");
}

TEST_CASE("Reads, names and what is not understood stay as they are") {
  CHECK(written("SELECT NOW()") == "as it was");
  CHECK(written("SELECT * FROM t WHERE a < NOW() FOR UPDATE") == "as it was");
  CHECK(written("UPDATE t SET t.now = 1, curdate = 2, `current_date` = 3") == "as it was");
  CHECK(written("INSERT INTO t VALUES ('CURRENT_TIMESTAMP')") == "as it was");
  CHECK(written("UPDATE t SET a = f(NOW())") == "as it was");
}
