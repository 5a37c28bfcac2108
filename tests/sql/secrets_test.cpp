// Secrets never leave the decoder.
#include "sql/secrets.h"
#include "test_support/catch.h"

using namespace darktap::sql;

TEST_CASE("every form of a password literal is replaced") {
  for (const char* sql : {"CREATE USER 'u'@'h' IDENTIFIED BY 's3cret'", "CREATE USER u IDENTIFIED WITH mysql_native_password BY 's3cret'",
                          "CREATE USER u IDENTIFIED WITH 'caching_sha2_password' AS 's3cret' REQUIRE SSL", "ALTER USER u IDENTIFIED BY 's3cret' REPLACE 's3cret'",
                          "GRANT ALL ON *.* TO u IDENTIFIED BY PASSWORD 's3cret'", "CREATE USER u IDENTIFIED VIA ed25519 USING PASSWORD('s3cret') OR unix_socket",
                          "CREATE USER u IDENTIFIED VIA ed25519 USING 's3cret'", "CREATE USER u IDENTIFIED BY \"s3cret\", v IDENTIFIED BY 's3cret'",
                          "SET PASSWORD = 's3cret'", "SET PASSWORD FOR 'u'@'h' = 's3cret' REPLACE 's3cret'", "SET PASSWORD FOR u = PASSWORD('s3cret')",
                          "set password=old_password('s3cret')", "SELECT PASSWORD('s3cret')", "UPDATE mysql.user SET password=PASSWORD('s3cret') WHERE user='u'",
                          "CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD='s3cret', MASTER_PORT=1", "CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = 's3cret'",
                          "START SLAVE USER='u' PASSWORD='s3cret'", "START GROUP_REPLICATION USER='u', PASSWORD='s3cret'",
                          "CLONE INSTANCE FROM 'u'@'h':3306 IDENTIFIED BY 's3cret'", "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'u', PASSWORD 's3cret')",
                          "CREATE TABLE t (a INT) ENGINE=FEDERATED CONNECTION='mysql://u:s3cret@h/d/t'", "CREATE TABLE t (a INT) ENGINE=SPIDER COMMENT='password \"s3cret\"'",
                          "/*!50000 CREATE USER u */ /*!99999 IDENTIFIED BY 's3cret' */", "CREATE USER u IDENTIFIED BY 's3cret", "CREATE USER u IDENTIFIED BY 's3' 'cret'",
                          "PREPARE p FROM 'CREATE USER u IDENTIFIED BY ''s3cret'''", "EXECUTE IMMEDIATE 'SET PASSWORD = ''s3cret'''",
                          "SELECT 1; SET PASSWORD = 's3cret'", "CREATE USER u IDENTIFIED /* c */ BY /* d */ 's3cret'", "SET GLOBAL x_password = 's3cret'",
                          "CREATE PROCEDURE p() BEGIN SET PASSWORD = 's3cret'; END", "CREATE USER u IDENTIFIED BY N's3cret'"}) {
    CAPTURE(sql);
    std::string text = sql;
    CHECK(redact_secrets(text) == Redaction::replaced);
    CHECK(text.find("s3cret") == std::string::npos);
    CHECK(text.find("cret'") == std::string::npos);
    CHECK(text.find("'<secret>'") != std::string::npos);
    std::string again = text;
    redact_secrets(again);
    CHECK(again == text);
  }
}

TEST_CASE("what is no secret stays byte for byte") {
  for (const char* sql : {"SELECT * FROM users WHERE password = 'x'", "UPDATE users SET password = 'x' WHERE id = 1", "INSERT INTO users (password) VALUES ('x')",
                          "SELECT 'IDENTIFIED BY'", "CREATE USER 'u'@'h' ACCOUNT LOCK", "SELECT 1 -- password", "SET NAMES 'utf8'", "SELECT connection_id()"}) {
    CAPTURE(sql);
    std::string text = sql;
    CHECK(redact_secrets(text) == Redaction::nothing_found);
    CHECK(text == sql);
  }
  std::string text = "CREATE USER 'u'@'h' IDENTIFIED BY 'x' COMMENT 'keep'";
  redact_secrets(text);
  CHECK(text == "CREATE USER 'u'@'h' IDENTIFIED BY '<secret>' COMMENT 'keep'");
}
