// The compressed protocol against a real server: small and large, in one frame and several, plain and within what is sent
// along with it.
#include "client/blocking.h"
#include "test_support/catch.h"
#include "test_support/private_server.h"

using namespace darktap;
using namespace darktap::client;

namespace {

BlockingConnection connect(PrivateServer& server) {
  Login login{{"root", "127.0.0.1", server.port(), ""}, ""};
  login.compression = Compression::where_possible;
  auto connection = BlockingConnection::open(login);
  INFO((connection ? "" : connection.error().reason));
  REQUIRE(connection);
  REQUIRE(connection->connection().is_compressed());
  return std::move(*connection);
}

std::string cell(BlockingConnection& connection, const std::string& sql) {
  auto table = connection.table(sql);
  INFO((table ? "" : table.error()));
  REQUIRE(table);
  return table->at(table->size() - 1, std::size_t{0}).value_or("NULL");
}

}  // namespace

TEST_CASE("A compressed connection answers as any other does, whatever the size") {
  auto server = PrivateServer::start({"--max-allowed-packet=64M"});
  if (server == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  BlockingConnection connection = connect(*server);
  CHECK(cell(connection, "SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Compression'") == "ON");
  CHECK(cell(connection, "SELECT 1") == "1");
  for (std::size_t size : {40U, 49U, 50U, 51U, 16'000U, 70'000U, 2'000'000U, 0xffffffU - 20, 0xffffffU, 20'000'000U}) {
    INFO(size);
    CHECK(cell(connection, "SELECT LENGTH('" + std::string(size, 'x') + "')") == std::to_string(size));
    CHECK(cell(connection, "SELECT LENGTH('" + std::string(size, 'x') + "')") == std::to_string(size));
    CHECK(cell(connection, "SELECT REPEAT('y', " + std::to_string(size) + ")") == std::string(size, 'y'));
  }
  // What doesn't compress is stored.
  CHECK(cell(connection, "SELECT LENGTH(GROUP_CONCAT(a SEPARATOR '')) FROM (SELECT SHA2(RAND(), 512) a FROM information_schema.COLLATIONS LIMIT 5) t") == "640");
  REQUIRE(connection.ask("CREATE DATABASE c"));
  REQUIRE(connection.ask("USE c"));
  CHECK(cell(connection, "SELECT seq FROM seq_1_to_50000") == "50000");
}

TEST_CASE("Several answers, an error, a refused file and an unanswered command pass a compressed connection") {
  auto server = PrivateServer::start();
  if (server == nullptr) DARKTAP_SKIP("no MariaDB server installed");
  BlockingConnection connection = connect(*server);
  REQUIRE(connection.ask("CREATE DATABASE c"));
  REQUIRE(connection.ask("USE c"));
  auto several = connection.ask("SELECT 1; SELECT seq FROM seq_1_to_3000; SELECT 2; SELECT REPEAT('z', 100000)");
  REQUIRE(several);
  CHECK(several->answer.results.size() == 4);
  CHECK(several->answer.row_count() == 3003);
  auto refused = connection.ask("SELECT nothing FROM nowhere.such");
  REQUIRE(refused);
  REQUIRE(refused->answer.error() != nullptr);
  REQUIRE(connection.ask("CREATE TABLE c.t (a INT)"));
  auto file = connection.ask("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE c.t");
  REQUIRE(file);
  for (int n = 0; n < 20; ++n) {
    auto prepared = connection.ask(mysql::CommandCode::stmt_prepare, as_bytes("SELECT ?"));
    REQUIRE(prepared);
    REQUIRE(prepared->answer.error() == nullptr);
  }
  CHECK(cell(connection, "SELECT COUNT(*) FROM c.t") == "0");
}
