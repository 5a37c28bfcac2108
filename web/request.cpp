#include "request.h"

#include <algorithm>

#include "assets.h"

namespace darktap::web {

namespace {

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus : std::uint8_t { literal, space };

std::string decoded(std::string_view text, Plus plus) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool encoded = text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    if (encoded) {
      result += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      result += text[i] == '+' && plus == Plus::space ? ' ' : text[i];
    }
  }
  return result;
}

HttpResponse plain(unsigned status, const std::string& line) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = line + "\n", .headers = {}};
}

std::string_view content_type_of(std::string_view path) {
  if (path.ends_with(".html")) return "text/html; charset=utf-8";
  if (path.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  if (path.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

HttpResponse page(const std::string& path) {
  std::string_view wanted = path == "/" ? std::string_view("index.html") : std::string_view(path).substr(1);
  auto all = assets();
  auto found = std::find_if(all.begin(), all.end(), [&](const Asset& asset) { return asset.path == wanted; });
  if (found == all.end()) return plain(404, "There is nothing here.");
  return {.status = 200, .content_type = std::string(content_type_of(wanted)), .body = std::string(found->bytes), .headers = {}};
}

}  // namespace

const std::vector<std::pair<std::string, std::string>>& standing_headers() {
  static const std::vector<std::pair<std::string, std::string>> headers{
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
       "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cache-Control", "no-store"},
  };
  return headers;
}

Target parse_target(std::string_view target) {
  Target parsed;
  std::size_t mark = std::min(target.find('?'), target.size());
  parsed.path = decoded(target.substr(0, mark), Plus::literal);
  for (std::size_t begin = mark + 1; begin < target.size();) {
    std::string_view pair = target.substr(begin, target.find('&', begin) - begin);
    begin += pair.size() + 1;
    std::size_t equals = std::min(pair.find('='), pair.size());
    std::string_view value = equals < pair.size() ? pair.substr(equals + 1) : std::string_view();
    parsed.query[decoded(pair.substr(0, equals), Plus::space)] = decoded(value, Plus::space);
  }
  return parsed;
}

HttpResponse respond(const Guard& guard, const TriageApi& api, const HttpRequest& request) {
  Target target = parse_target(request.target);
  Admission admission = guard.admit({.method = request.method, .host = request.host, .origin = request.origin,
                                     .fetch_site = request.fetch_site, .cookie = request.cookie,
                                     .token_header = request.token_header, .token_parameter = target.query["token"]});
  switch (admission) {
    case Admission::refused_host: return plain(403, "Open this page by the address that darktap printed.");
    case Admission::refused_origin: return plain(403, "Another site may not use this page.");
    case Admission::refused_token: return plain(403, "Open this page by the address that darktap printed: it holds the token.");
    case Admission::admitted:
    case Admission::admitted_by_address: break;
  }
  HttpResponse response;
  if (target.path.starts_with("/api/")) {
    ApiResponse answer = api.handle({.method = std::string(request.method), .path = target.path, .query = target.query,
                                     .content_type = std::string(request.content_type), .body = request.body});
    response.status = answer.status;
    response.body = std::move(answer.body);
  } else if (request.method != "GET") {
    response = plain(405, "The page is only read.");
  } else {
    response = page(target.path);
  }
  if (admission == Admission::admitted_by_address) response.headers.emplace_back("Set-Cookie", guard.cookie());
  return response;
}

}  // namespace darktap::web
