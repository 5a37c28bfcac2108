#include "web/guard.h"

#include <set>

#include "test_support/catch.h"

using namespace darktap::web;

namespace {

const std::string token = "0123456789abcdef0123456789abcdef";
const std::string cookie = "darktap_8380=" + token;
const Guard guard(token, 8380);

Credentials by_header() { return {.method = "GET", .host = "127.0.0.1:8380", .origin = "", .fetch_site = "", .cookie = "", .token_header = token, .token_parameter = ""}; }

Credentials by_cookie() {
  Credentials made = by_header();
  made.token_header = "";
  made.cookie = cookie;
  return made;
}

}  // namespace

TEST_CASE("a token is 128 random bits") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    std::string made = random_token();
    CHECK(made.size() == 32);
    seen.insert(made);
  }
  CHECK(seen.size() == 100);
}

TEST_CASE("only loopback names with the page's own port are hosts, whatever the token") {
  Credentials asked = by_header();
  for (const char* host : {"127.0.0.1:8380", "localhost:8380", "[::1]:8380"}) {
    asked.host = host;
    CHECK(guard.admit(asked) == Admission::admitted);
  }
  for (const char* host : {"", "127.0.0.1", "127.0.0.1:8381", "127.0.0.1:83800", "evil.example:8380", "localhost.evil.example:8380", "evil.example", "127.0.0.1:8380:8380", "[::1]", "0.0.0.0:8380", "LOCALHOST:8380 "}) {
    asked.host = host;
    INFO(host);
    CHECK(guard.admit(asked) == Admission::refused_host);
  }
  asked.host = "localhost";
  CHECK(Guard(token, 80).admit(asked) == Admission::admitted);
}

TEST_CASE("a request without the token, or with another, is refused") {
  Credentials asked = by_header();
  for (const std::string& wrong : {std::string(), token.substr(1), token + "0", std::string(32, '0'), std::string("darktap")}) {
    asked.token_header = wrong;
    CHECK(guard.admit(asked) == Admission::refused_token);
    Credentials address = by_header();
    address.token_header = "";
    address.token_parameter = wrong;
    CHECK(guard.admit(address) == Admission::refused_token);
  }
}

TEST_CASE("the address's token opens the page once, and a cookie carries on") {
  Credentials asked = by_header();
  asked.token_header = "";
  asked.token_parameter = token;
  CHECK(guard.admit(asked) == Admission::admitted_by_address);
  asked.fetch_site = "cross-site";  // a link in a chat
  CHECK(guard.admit(asked) == Admission::admitted_by_address);
  asked.method = "POST";
  CHECK(guard.admit(asked) == Admission::refused_origin);
  CHECK(guard.cookie() == cookie + "; Path=/; HttpOnly; SameSite=Strict");
  CHECK(guard.admit(by_cookie()) == Admission::admitted);
}

TEST_CASE("the cookie is found among others, by its whole name") {
  Credentials asked = by_cookie();
  std::string among = "a=b; darktap_8380=" + token + "; z=";
  asked.cookie = among;
  CHECK(guard.admit(asked) == Admission::admitted);
  for (const std::string& other : {"xdarktap_8380=" + token, "darktap_83800=" + token, "darktap_8380" + token, "darktap_8380=; q=" + token, std::string(";;;;=;")}) {
    asked.cookie = other;
    CHECK(guard.admit(asked) == Admission::refused_token);
  }
}

TEST_CASE("another origin is refused, and a change by cookie needs the page's own") {
  for (Credentials asked : {by_header(), by_cookie()}) {
    for (const char* origin : {"http://evil.example", "https://127.0.0.1:8380", "http://127.0.0.1:8381", "null", "http://localhost:8380"}) {
      asked.origin = origin;
      INFO(origin);
      CHECK(guard.admit(asked) == Admission::refused_origin);
    }
    asked.origin = "http://127.0.0.1:8380";
    CHECK(guard.admit(asked) == Admission::admitted);
  }
  Credentials change = by_cookie();
  change.method = "POST";
  CHECK(guard.admit(change) == Admission::refused_origin);
  change.origin = "http://127.0.0.1:8380";
  change.fetch_site = "same-origin";
  CHECK(guard.admit(change) == Admission::admitted);
  Credentials program = by_header();
  program.method = "POST";
  CHECK(guard.admit(program) == Admission::admitted);
}

TEST_CASE("what a browser fetches for another site or another port is refused, with the cookie too") {
  for (const char* site : {"cross-site", "same-site"}) {
    Credentials asked = by_cookie();
    asked.fetch_site = site;
    CHECK(guard.admit(asked) == Admission::refused_origin);
  }
}
