// From a request to its response, without sockets: guard, then API or page, and the headers that every answer carries.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "web/guard.h"
#include "web/triage_api.h"

namespace darktap::web {

struct HttpRequest {
  std::string_view method, target;  // target as sent: path and query, still encoded
  std::string_view host, origin, fetch_site, cookie, token_header, content_type;
  std::string body;
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "application/json; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

HttpResponse respond(const Guard& guard, const TriageApi& api, const HttpRequest& request);

// What every answer carries: no other site may frame, embed, sniff or keep it, and the page runs only its own files.
const std::vector<std::pair<std::string, std::string>>& standing_headers();

// "/a%20b?x=1&y" to {"/a b", {{"x", "1"}, {"y", ""}}}; a '%' without two digits stays as it is.
struct Target {
  std::string path;
  std::map<std::string, std::string> query;
};
Target parse_target(std::string_view target);

}  // namespace darktap::web
