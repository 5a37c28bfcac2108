#include <map>

#include "base/text.h"
#include "editable.h"
#include "sql/rewrite.h"
#include "words.h"

namespace darktap::sql {

std::optional<std::string> with_windows_written_out(std::string_view text, const Dialect& dialect) {
  std::optional<Editable> source = editable(text, dialect);
  if (!source || !is_plain_read(source->statement())) return std::nullopt;
  const std::uint32_t end = source->statement().end;
  auto keyword = [&](std::uint32_t i, W word) {
    const Token& token = source->lexed.tokens[i];
    return i < end && token.kind == TokenKind::word && static_cast<W>(token.word) == word && source->parsed.roles[i] == Role::keyword;
  };
  auto symbol = [&](std::uint32_t i, char c) { return i < end && is_symbol(*source, i, c); };
  std::map<std::string, std::string> windows;
  std::vector<std::uint32_t> uses;  // the names behind OVER
  std::vector<Edit> edits;
  for (std::uint32_t i = source->statement().begin; i < end; ++i) {
    if (keyword(i, W::over_) && !symbol(i + 1, '(')) uses.push_back(i + 1);
    if (keyword(i, W::over_) && symbol(i + 1, '(') && source->parsed.roles[i + 2] == Role::name) return std::nullopt;  // one made of another
    if (!keyword(i, W::window_)) continue;
    const std::uint32_t clause = i++;
    for (;; ++i) {  // name AS ( … ), …
      std::string name = lower(name_of(text, source->lexed.tokens[i]));
      if (!keyword(i + 1, W::as_) || !symbol(i + 2, '(') || source->parsed.roles[i + 3] == Role::name) return std::nullopt;
      const std::uint32_t last = closing_parenthesis(*source, i + 2, end);
      // Two blocks may name two windows alike.
      if (last >= end || !windows.emplace(name, std::string(slice(text, *source, {i + 2, last + 1}))).second) return std::nullopt;
      i = last + 1;
      if (!symbol(i, ',')) break;
    }
    edits.push_back({begin_of(*source, clause), end_of(*source, i - 1) - begin_of(*source, clause), ""});
    --i;
  }
  if (windows.empty() || uses.empty()) return std::nullopt;
  for (std::uint32_t use : uses) {
    auto window = windows.find(lower(name_of(text, source->lexed.tokens[use])));
    if (window == windows.end()) return std::nullopt;
    edits.push_back({begin_of(*source, use), end_of(*source, use) - begin_of(*source, use), window->second});
  }
  return edited(text, std::move(edits), dialect);
}

}  // namespace darktap::sql
