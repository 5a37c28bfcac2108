// tricky.jsonl: statements written to get past a read-only filter, and ordinary ones that such a filter refuses. The oracle
// (tests/end_to_end/test_sql_oracle.py) asks real servers about the same list.
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "sql/meaning.h"
#include "test_support/catch.h"

using namespace darktap::sql;
using nlohmann::json;

namespace {

struct Entry {
  std::string sql;
  bool is_read = false;
  Dialect dialect;
  std::vector<std::string> servers;  // empty: any
};

std::string unhex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

std::vector<Entry> entries() {
  const char* source = std::getenv("DARKTAP_SOURCE");
  std::ifstream file(std::string(source ? source : ".") + "/tests/sql/tricky.jsonl");
  std::vector<Entry> found;
  for (std::string line; std::getline(file, line);) {
    json object = json::parse(line);
    Entry entry;
    entry.is_read = object.contains("read") || object.contains("read_hex");
    std::string key = entry.is_read ? "read" : "not_read";
    entry.sql = object.contains(key) ? object[key].get<std::string>() : unhex(object[key + "_hex"]);
    entry.dialect.mode = parse_sql_mode(object.value("mode", ""));
    entry.dialect.charset = charset_of(object.value("charset", ""));
    entry.servers = object.value("server", std::vector<std::string>());
    found.push_back(std::move(entry));
  }
  return found;
}

Dialect on(Dialect dialect, const std::string& server) {
  if (!server.empty()) dialect.server = *parse_server_name(server);
  return dialect;
}

}  // namespace

TEST_CASE("nothing that is written to get past a filter is a read") {
  std::size_t count = 0;
  for (const Entry& entry : entries()) {
    if (entry.is_read) continue;
    ++count;
    std::vector<std::string> servers = entry.servers;
    if (servers.empty()) servers = {"", "mysql57", "mysql80", "mysql84", "mysql97", "mariadb1011", "mariadb118"};
    for (const std::string& server : servers) {
      CAPTURE(entry.sql, server);
      CHECK(understand(entry.sql, on(entry.dialect, server)).statement_class != StatementClass::read);
    }
  }
  CHECK(count >= 500);
}

TEST_CASE("what applications and tools ask every day is a read") {
  std::size_t count = 0;
  for (const Entry& entry : entries()) {
    if (!entry.is_read) continue;
    ++count;
    std::vector<std::string> servers = entry.servers;
    if (servers.empty()) servers = {"", "mysql80", "mariadb1011"};
    for (const std::string& server : servers) {
      CAPTURE(entry.sql, server);
      Meaning meaning = understand(entry.sql, on(entry.dialect, server));
      CAPTURE(meaning.why);
      CHECK(meaning.statement_class == StatementClass::read);
    }
  }
  CHECK(count >= 250);
}
