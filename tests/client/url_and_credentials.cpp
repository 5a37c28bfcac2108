// How servers and passwords are named by the user.
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "client/credentials.h"
#include "test_support/catch.h"
#include "test_support/temporary_folder.h"

using namespace darktap::client;

namespace {

ServerUrl url_of(const std::string& text) {
  auto url = parse_server_url(text);
  INFO((url ? "" : url.error()));
  REQUIRE(url);
  return *url;
}

std::string refusal_of(const std::string& text) {
  auto url = parse_server_url(text);
  REQUIRE_FALSE(url);
  return url.error();
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string write_file(const TemporaryFolder& folder, const std::string& text, mode_t mode) {
  std::string path = folder.file("my.cnf");
  std::ofstream(path) << text;
  ::chmod(path.c_str(), mode);
  return path;
}

}  // namespace

TEST_CASE("A server URL has a user, a host, a port and a schema, and only the host must stand") {
  CHECK(url_of("mysql://app@db.example:3307/shop") == ServerUrl{"app", "db.example", 3307, "shop"});
  CHECK(url_of("mysql://app@db.example/shop").port == 3306);
  CHECK(url_of("mysql://app@db.example").schema.empty());
  CHECK(url_of("mysql://db.example/") == ServerUrl{"", "db.example", 3306, ""});
  CHECK(url_of("mysql://app@[2001:db8::1]:3307/shop") == ServerUrl{"app", "2001:db8::1", 3307, "shop"});
  CHECK(url_of("mysql://app@[::1]/shop").host == "::1");
  CHECK(url_of("mysql://a%40b@h/s%2Fx") == ServerUrl{"a@b", "h", 3306, "s/x"});
  CHECK(address_of(url_of("mysql://app@[::1]:3307/")) == "[::1]:3307");
  CHECK(address_of(url_of("mysql://app@localhost/")) == "localhost:3306");
}

TEST_CASE("A password in a server URL is refused and not repeated") {
  std::string line = refusal_of("mysql://app:s3cret@db/shop");
  CHECK(holds(line, "--defaults-file"));
  CHECK_FALSE(holds(line, "s3cret"));
  CHECK_FALSE(holds(refusal_of("mysq://app:s3cret@db/shop"), "s3cret"));
  CHECK_FALSE(holds(refusal_of("mysql://app:s3 cret@db/shop"), "cret"));
  CHECK(holds(refusal_of("mysql://app:@db/shop"), "password"));
}

TEST_CASE("A server URL that can't be read is refused with the way to write it") {
  for (const char* text : {"", "mysql://", "db:3306", "http://db/", "mysql://app@/shop", "mysql://app@db:0/", "mysql://app@db:65536/",
                           "mysql://app@db:/", "mysql://app@db:33o6/", "mysql://app@::1/", "mysql://app@[::1/", "mysql://app@[::1]x/",
                           "mysql://app@db/a/b", "mysql://app@db/shop?ssl=1", "mysql://%zz@db/", "mysql://%00@db/", "mysql://@db/"}) {
    INFO(text);
    CHECK(holds(refusal_of(text), "mysql://user@host:port/schema"));
  }
}

TEST_CASE("The password comes from the role's group of a private option file, else from the environment") {
  ::setenv("DARKTAP_TARGET_PASSWORD", "from the environment", 1);
  ServerUrl url = url_of("mysql://app@db/shop");
  CHECK(read_login(Role::target, url, std::nullopt)->password == "from the environment");
  CHECK(read_login(Role::reference, url, std::nullopt)->password.empty());

  TemporaryFolder folder;
  std::string path = write_file(folder, "# comment\n[client]\npassword=wrong\n[darktap-target]\nuser = other\npassword = \"a#b\\\\c \"\n"
                                        "[darktap-reference]\nuser=reader\n", 0600);
  auto target = read_login(Role::target, url, path);
  REQUIRE(target);
  CHECK(target->password == "a#b\\c ");
  CHECK(target->url.user == "app");
  auto reference = read_login(Role::reference, url_of("mysql://db/shop"), path);
  REQUIRE(reference);
  CHECK(reference->url.user == "reader");
  CHECK(read_login(Role::source, url, path)->password.empty());
  ::unsetenv("DARKTAP_TARGET_PASSWORD");
}

TEST_CASE("An option file that others can read is refused with the remedy") {
  TemporaryFolder folder;
  ServerUrl url = url_of("mysql://app@db/shop");
  for (mode_t mode : {0640, 0604, 0620, 0602}) {
    std::string path = write_file(folder, "[darktap-target]\npassword=x\n", mode);
    auto login = read_login(Role::target, url, path);
    REQUIRE_FALSE(login);
    CHECK(holds(login.error(), "chmod 600 " + path));
  }
  CHECK(read_login(Role::target, url, write_file(folder, "[darktap-target]\npassword=x\n", 0400)));
  CHECK(holds(read_login(Role::target, url, write_file(folder, "# it is\n\nnone of ours\n[darktap-target]\npassword=x\n", 0600)).error(), "line 3 stands in no group"));
  CHECK(holds(read_login(Role::target, url, folder.file("missing")).error(), "missing"));
  CHECK(holds(read_login(Role::target, url, folder.path().string()).error(), "not a plain file"));
  CHECK(holds(read_login(Role::target, url, write_file(folder, "[darktap-target]\nssl-mode=verify_ca\n", 0600)).error(), "verify_identity"));
  auto with_tls = read_login(Role::target, url, write_file(folder, "[darktap-target]\nssl-ca=ca.pem\nssl_cert=c.pem\nssl-key=k.pem\n", 0600));
  REQUIRE(with_tls);
  CHECK(with_tls->tls.mode == TlsOptions::Mode::required);
  CHECK(with_tls->tls.ca == "ca.pem");
  CHECK(with_tls->tls.cert == "c.pem");
  auto preferred = read_login(Role::target, url, write_file(folder, "[darktap-target]\nssl-mode=PREFERRED\nssl-ca=ca.pem\n", 0600));
  REQUIRE(preferred);
  CHECK(preferred->tls.mode == TlsOptions::Mode::preferred);
  CHECK(holds(read_login(Role::target, url_of("mysql://db/shop"), std::nullopt).error(), "no user"));
}
