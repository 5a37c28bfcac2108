// The triage page's questions and answers, as values: a request in, JSON out. Knows the store and nothing of sockets.
//
//   GET  /api/runs                       {"runs": […], newest first}
//   GET  /api/runs/ID                    the run, its ledger, coverage and latency of both sides, and its findings without
//        ?cause=&difference=&status=     examples: what counts first, then by events; "facets" say how many each value of a
//        &q=TEXT&limit=N                 filter would leave
//   GET  /api/runs/ID/findings/FINDING   one finding with evidence, examples, latency of its fingerprint, history
//   POST /api/findings/FINDING/triage    {"status", "note", "author"} → what GET gives as "status", "note", "author", "history"
//
// Anything else is {"error": one line}: 400 for a bad value, 404 for what isn't there, 405, 415, 503 where the store can't
// be read or written just now.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/time.h"

namespace darktap::web {

struct ApiRequest {
  std::string method;  // "GET", "POST"
  std::string path;    // decoded, without the query
  std::map<std::string, std::string> query;
  std::string content_type, body;
};

struct ApiResponse {
  unsigned status = 200;
  std::string body;  // JSON
};

inline constexpr std::size_t default_findings = 500;   // a list's length where limit is not given
inline constexpr std::size_t most_findings = 5'000;
inline constexpr std::size_t listed_text_limit = 400;  // bytes of a statement in the list; the finding itself has all

class TriageApi {
 public:
  // The store is opened for each request, so the page follows a live run and survives a store that comes and goes.
  explicit TriageApi(std::string store, std::function<CaptureTime()> now = CaptureClock::now);
  ApiResponse handle(const ApiRequest& request) const;

 private:
  std::string store_;
  std::function<CaptureTime()> now_;
};

}  // namespace darktap::web
