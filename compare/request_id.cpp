#include "request_id.h"

#include <algorithm>
#include <array>

#include "sql/lexer.h"
#include "text.h"

namespace darktap::compare {

namespace {

// Without what spellings differ in: X-Request-ID and x_request_id are one.
std::string plain_key(std::string_view key) {
  std::string plain;
  for (char c : lower(key))
    if (c != '-' && c != '_' && c != '.') plain += c;
  return plain;
}

// 00-<trace, 32 hex digits>-<span>-<flags>; a trace of zeros is none (W3C Trace Context).
std::string trace_of(std::string_view traceparent) {
  std::size_t first = traceparent.find('-');
  if (first == std::string_view::npos) return {};
  std::string_view trace = traceparent.substr(first + 1);
  trace = trace.substr(0, trace.find('-'));
  bool hex = trace.size() == 32 && trace.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  return hex && trace.find_first_not_of('0') != std::string_view::npos ? lower(trace) : std::string();
}

bool is_key(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; }
bool ends_value(char c) { return c == ',' || c == ';' || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '&' || c == '*'; }

// The value that begins there, quotes taken off.
std::string_view value_at(std::string_view body, std::size_t at) {
  if (at < body.size() && (body[at] == '\'' || body[at] == '"')) {
    std::size_t end = body.find(body[at], at + 1);
    return end == std::string_view::npos ? std::string_view() : body.substr(at + 1, end - at - 1);
  }
  std::size_t end = at;
  while (end < body.size() && !ends_value(body[end])) ++end;
  return body.substr(at, end - at);
}

enum class Kind : std::uint8_t { request, trace, traceparent, other };
Kind kind_of(std::string_view key) {
  constexpr std::array<std::string_view, 8> requests{"requestid", "xrequestid", "reqid", "correlationid", "xcorrelationid", "requestuuid", "jobid", "jid"};
  constexpr std::array<std::string_view, 5> traces{"traceid", "xb3traceid", "xtraceid", "ddtraceid", "xamzntraceid"};
  std::string plain = plain_key(key);
  if (std::find(requests.begin(), requests.end(), plain) != requests.end()) return Kind::request;
  if (std::find(traces.begin(), traces.end(), plain) != traces.end()) return Kind::trace;
  return plain == "traceparent" ? Kind::traceparent : Kind::other;
}

struct Found {
  std::string request, trace;
};

void look_into(std::string_view body, Found& found) {
  for (std::size_t at = 0; at < body.size();) {
    if (!is_key(body[at])) {
      ++at;
      continue;
    }
    std::size_t begin = at;
    while (at < body.size() && is_key(body[at])) ++at;
    Kind kind = kind_of(body.substr(begin, at - begin));
    std::size_t sign = at;
    while (sign < body.size() && body[sign] == ' ') ++sign;
    if (sign >= body.size() || (body[sign] != '=' && body[sign] != ':')) continue;
    for (++sign; sign < body.size() && body[sign] == ' ';) ++sign;
    std::string_view value = value_at(body, sign);
    at = std::max(at, sign) + value.size();
    constexpr std::array<std::string_view, 6> nothing{"-", "null", "nil", "none", "undefined", "unknown"};
    bool is_id = !value.empty() && value.size() <= max_request_id && std::find(nothing.begin(), nothing.end(), lower(value)) == nothing.end();
    if (kind == Kind::other || !is_id) continue;
    std::string id = kind == Kind::traceparent ? trace_of(value) : std::string(value);
    std::string& place = kind == Kind::request ? found.request : found.trace;
    if (place.empty()) place = std::move(id);
  }
}

}  // namespace

std::string request_id(std::string_view text, const sql::Dialect& dialect) {
  // Most statements bear no comment, and are not looked into.
  if (text.find("/*") == std::string_view::npos && text.find("--") == std::string_view::npos && text.find('#') == std::string_view::npos) return {};
  Found found;
  for (const sql::Comment& comment : sql::lex(text, dialect).comments)
    if (comment.kind == sql::CommentKind::plain) look_into(text.substr(comment.offset, comment.length), found);
  return found.request.empty() ? found.trace : found.request;
}

}  // namespace darktap::compare
