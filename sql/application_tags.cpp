// Application tags: sqlcommenter (https://google.github.io/sqlcommenter/spec/) and marginalia comments.
#include "sql/fingerprint.h"
#include "sql/lexer.h"

namespace darktap::sql {
namespace {

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '%';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) {
      decoded += text[i];
    } else {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return decoded;
}

using Tags = std::vector<std::pair<std::string, std::string>>;

// key='value' or key:value, separated by commas; anything else in the comment makes it no tag list.
bool read_tags(std::string_view body, Tags& tags) {
  std::size_t at = 0;
  auto skip_spaces = [&] { while (at < body.size() && body[at] == ' ') ++at; };
  skip_spaces();
  while (at < body.size()) {
    std::size_t begin = at;
    while (at < body.size() && is_key_character(body[at])) ++at;
    std::string key = percent_decoded(body.substr(begin, at - begin));
    if (key.empty() || at >= body.size()) return false;
    std::string value;
    if (body[at] == '=') {
      if (++at >= body.size() || body[at] != '\'') return false;
      std::size_t first = ++at;
      while (at < body.size() && body[at] != '\'') at += body[at] == '\\' ? 2 : 1;
      if (at >= body.size()) return false;
      value = percent_decoded(body.substr(first, at - first));
      ++at;
    } else if (body[at] == ':') {
      std::size_t first = ++at;
      while (at < body.size() && body[at] != ',') ++at;
      value = body.substr(first, at - first);
      while (!value.empty() && value.back() == ' ') value.pop_back();
    } else {
      return false;
    }
    tags.emplace_back(std::move(key), std::move(value));
    skip_spaces();
    if (at >= body.size()) return true;
    if (body[at++] != ',') return false;
    skip_spaces();
  }
  return !tags.empty();
}

}  // namespace

Tags application_tags(std::string_view text, const Dialect& dialect) {
  Tags tags;
  for (const Comment& comment : lex(text, dialect).comments) {
    std::string_view raw = text.substr(comment.offset, comment.length);
    if (comment.kind != CommentKind::plain || !raw.starts_with("/*") || raw.size() < 4) continue;
    Tags found;
    if (read_tags(raw.substr(2, raw.size() - 4), found)) tags.insert(tags.end(), found.begin(), found.end());
  }
  return tags;
}

}  // namespace darktap::sql
