#include "replay/written_ids.h"

#include <algorithm>

#include "base/text.h"
#include "sql/lexer.h"
#include "sql/query_shape.h"
#include "sql/rewrite.h"

namespace darktap::replay {
namespace {

using sql::Token;
using sql::TokenKind;

const std::string* key_of(const sql::Table& table) {
  auto primary = std::find_if(table.unique_keys.begin(), table.unique_keys.end(), [](const sql::UniqueKey& key) { return key.name == "PRIMARY"; });
  return primary == table.unique_keys.end() || primary->columns.size() != 1 ? nullptr : &primary->columns.front();
}

bool is_plain_insert(const sql::QueryShape& shape) {
  return shape.understood && shape.kind == sql::ShapeKind::insert && !shape.from_select && shape.conflict == sql::Conflict::fails && shape.targets.size() == 1 &&
         !shape.columns.empty() && shape.row_count > 0 && shape.rows.size() == shape.row_count;
}

}  // namespace

std::optional<std::string> with_ids_written_in(std::string_view text, const sql::Dialect& dialect, const sql::Table& table, std::uint64_t first) {
  const std::string* key = key_of(table);
  const sql::QueryShape shape = sql::shape_of(text, dialect);
  if (key == nullptr || !is_plain_insert(shape)) return std::nullopt;
  if (std::any_of(shape.columns.begin(), shape.columns.end(), [&](const std::string& column) { return same_name(column, *key); })) return std::nullopt;
  const sql::Lexed lexed = sql::lex(text, dialect);
  std::string out;
  std::size_t done = 0, depth = 0;
  std::uint64_t next = first;
  enum class Part { before, columns, values } part = Part::before;
  for (const Token& token : lexed.tokens) {
    if (depth == 0 && part == Part::columns && token.kind == TokenKind::word && (same_name(sql::text_of(text, token), "values") || same_name(sql::text_of(text, token), "value"))) part = Part::values;
    if (token.kind != TokenKind::symbol) continue;
    if (token.symbol == sql::symbol_code(")") && depth > 0) --depth;
    if (token.symbol != sql::symbol_code("(")) continue;
    if (depth++ > 0 || part == Part::columns) continue;
    std::size_t behind = token.offset + std::size_t{token.length};
    out += text.substr(done, behind - done);
    out += part == Part::before ? sql::quote_name(*key) + ", " : std::to_string(next++) + ", ";
    done = behind;
    if (part == Part::before) part = Part::columns;
  }
  out += text.substr(done);
  // What was meant is what came of it.
  const sql::QueryShape written = sql::shape_of(out, dialect);
  bool is_whole = is_plain_insert(written) && written.columns.size() == shape.columns.size() + 1 && written.columns.front() == *key && written.row_count == shape.row_count && next == first + shape.row_count;
  return is_whole ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace darktap::replay
