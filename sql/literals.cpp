// Names and strings without their quotes, and back.
#include "base/text.h"
#include "sql/lexer.h"
#include "sql/meaning.h"
#include "sql/rewrite.h"

namespace darktap::sql {

std::string name_of(std::string_view text, const Token& token) {
  std::string_view raw = text_of(text, token);
  if (token.kind == TokenKind::user_variable && !raw.empty()) raw.remove_prefix(1);
  if (raw.size() < 2) return std::string(raw);
  char quote = raw.front();
  if ((quote != '`' && quote != '"' && quote != '\'') || raw.back() != quote) return std::string(raw);
  raw = raw.substr(1, raw.size() - 2);
  if (raw.find(quote) == std::string_view::npos) return std::string(raw);
  std::string name;
  name.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    name += raw[i];
    if (raw[i] == quote && i + 1 < raw.size() && raw[i + 1] == quote) ++i;
  }
  return name;
}

std::string user_variable_name(std::string_view written) {
  const Token whole{.kind = TokenKind::user_variable, .offset = 0, .length = static_cast<std::uint32_t>(written.size())};
  return lower("@" + name_of(written, whole));
}

std::string string_value(std::string_view text, const Token& token, const Dialect& dialect) {
  std::string_view raw = text_of(text, token);
  if (token.kind != TokenKind::string) return std::string(raw);
  std::size_t open = raw.find_first_of("'\"");
  if (open == std::string_view::npos || open + 1 >= raw.size()) return {};
  char quote = raw[open];
  raw = raw.substr(open + 1, raw.size() - open - 2);
  std::string value;
  value.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size();) {
    std::size_t length = character_length(dialect.charset, raw.substr(i));
    if (length > 1) {
      value.append(raw.substr(i, length));
      i += length;
    } else if (raw[i] == quote && i + 1 < raw.size()) {
      value += quote;
      i += 2;
    } else if (raw[i] == '\\' && !dialect.mode.no_backslash_escapes && i + 1 < raw.size()) {
      char c = raw[i + 1];
      switch (c) {  // MySQL manual, "Special Character Escape Sequences"
        case '0': value += '\0'; break;
        case 'b': value += '\b'; break;
        case 'n': value += '\n'; break;
        case 'r': value += '\r'; break;
        case 't': value += '\t'; break;
        case 'Z': value += '\x1a'; break;
        case '%': case '_': value += '\\'; value += c; break;
        default: value += c;
      }
      i += 2;
    } else {
      value += raw[i++];
    }
  }
  return value;
}

std::string quote_string(std::string_view value, const Dialect& dialect) {
  std::string text = "'";
  for (std::size_t i = 0; i < value.size();) {
    std::size_t length = character_length(dialect.charset, value.substr(i));
    if (length > 1) {
      text.append(value.substr(i, length));
      i += length;
      continue;
    }
    char c = value[i++];
    if (c == '\'') text += "''";
    else if (c == '\\' && !dialect.mode.no_backslash_escapes) text += "\\\\";
    else text += c;
  }
  return text += '\'';
}

std::string quote_name(std::string_view name) {
  std::string text = "`";
  for (char c : name) text.append(c == '`' ? 2 : 1, c);
  return text += '`';
}

}  // namespace darktap::sql
