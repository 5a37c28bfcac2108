// Targets that may not be written to.
#include "replay/sandbox.h"

#include "test_support/catch.h"

using namespace darktap;
using namespace darktap::replay;

namespace {

MarkerFacts marked(std::vector<MarkerFacts::Row> rows) { return {"darktap_sandbox.marker", "10.0.0.9:3306", "", std::move(rows)}; }
bool holds(const std::optional<std::string>& line, const std::string& part) { return line && line->find(part) != std::string::npos; }

}  // namespace

TEST_CASE("A target whose marker names it, once, may be written to; what stays there needs it to be disposable") {
  CHECK_FALSE(refuse_marker(marked({{"10.0.0.9:3306", 1}}), Disposal::disposable));
  CHECK_FALSE(refuse_marker(marked({{"10.0.0.9:3306", 0}}), Disposal::kept));
  CHECK(holds(refuse_marker(marked({{"10.0.0.9:3306", 0}}), Disposal::disposable), "does not say that it is disposable"));
  CHECK(refuse_marker(marked({{"10.0.0.9:3306", 2}}), Disposal::disposable));
  CHECK(refuse_marker(marked({{"10.0.0.9:3306", std::nullopt}}), Disposal::disposable));
}

TEST_CASE("No marker, an empty one, two rows or another server's refuse the target, with what to run there") {
  MarkerFacts missing = marked({});
  missing.error = "1146: Table 'darktap_sandbox.marker' doesn't exist";
  CHECK(holds(refuse_marker(missing, Disposal::kept), "1146"));
  CHECK(holds(refuse_marker(missing, Disposal::kept), "INSERT INTO darktap_sandbox.marker VALUES ('10.0.0.9:3306', 0)"));
  CHECK(holds(refuse_marker(missing, Disposal::disposable), "VALUES ('10.0.0.9:3306', 1)"));
  CHECK(holds(refuse_marker(marked({}), Disposal::kept), "is empty"));
  CHECK(holds(refuse_marker(marked({{"10.0.0.9:3306", 1}, {"10.0.0.9:3306", 1}}), Disposal::kept), "more than one row"));
  CHECK(holds(refuse_marker(marked({{"10.0.0.8:3306", 1}}), Disposal::kept), "names '10.0.0.8:3306', expected '10.0.0.9:3306'"));
}

TEST_CASE("A marker table is named by schema and table") {
  CHECK(parse_marker("a.b") == sql::QualifiedName{"a", "b"});
  for (const char* wrong : {"", "a", ".b", "a.", "a.b.c", "a.b; DROP TABLE t", "a.`b`"}) {
    INFO(wrong);
    CHECK_FALSE(parse_marker(wrong));
  }
}
