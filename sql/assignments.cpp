// A SET of several variables without some of them.
#include <algorithm>

#include "sql/lexer.h"
#include "sql/rewrite.h"
#include "words.h"

namespace darktap::sql {

std::optional<std::string> without_assignments(std::string_view text, std::span<const std::uint32_t> offsets, const Dialect& dialect) {
  const Lexed lexed = lex(text, dialect);
  if (!lexed.clean || lexed.undecided > 0 || lexed.tokens.size() < 3) return std::nullopt;
  auto is_symbol = [&](const Token& token, std::string_view symbol) { return token.kind == TokenKind::symbol && token.symbol == symbol_code(symbol); };
  const Token& first = lexed.tokens.front();
  if (first.kind != TokenKind::word || static_cast<W>(first.word) != W::set_) return std::nullopt;
  // One further on might hide a comma, or swallow what is put behind it; text that only some servers read may end in the middle.
  if (text.find("/*!") != std::string_view::npos || text.find("/*M!") != std::string_view::npos) return std::nullopt;
  if (std::any_of(lexed.comments.begin(), lexed.comments.end(), [&](const Comment& comment) { return comment.offset > first.offset; })) return std::nullopt;

  std::string kept;
  std::size_t begin = 1;
  int depth = 0;
  for (std::size_t i = 1; i < lexed.tokens.size(); ++i) {
    const Token& token = lexed.tokens[i];
    if (is_symbol(token, "(")) ++depth;
    if (is_symbol(token, ")")) --depth;
    const bool ends = token.kind == TokenKind::end || is_symbol(token, ";");
    if (!ends && (depth > 0 || !is_symbol(token, ","))) continue;
    if (depth != 0 || i == begin) return std::nullopt;
    const std::size_t from = lexed.tokens[begin].offset, to = lexed.tokens[i - 1].offset + lexed.tokens[i - 1].length;
    const bool is_left_out = std::any_of(offsets.begin(), offsets.end(), [&](std::uint32_t offset) { return offset >= from && offset < to; });
    if (!is_left_out) kept.append(kept.empty() ? "SET " : ", ").append(text.substr(from, to - from));
    if (ends) break;
    begin = i + 1;
  }
  if (kept.empty()) return std::nullopt;
  return kept;
}

}  // namespace darktap::sql
