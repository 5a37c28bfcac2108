#include "replay/written_ids.h"

#include <algorithm>

#include "base/text.h"
#include "sql/lexer.h"
#include "sql/query_shape.h"
#include "sql/rewrite.h"
#include "touched_keys.h"

namespace darktap::replay {
namespace {

using sql::Token;
using sql::TokenKind;

bool is_plain_insert(const sql::QueryShape& shape) {
  return shape.understood && shape.kind == sql::ShapeKind::insert && !shape.from_select && shape.conflict == sql::Conflict::fails && shape.targets.size() == 1 &&
         shape.row_count > 0 && shape.rows.size() == shape.row_count;
}

// What makes the server give an id.
bool asks_for_an_id(std::string_view value) { return same_name(value, "null") || same_name(value, "default") || value == "0"; }

struct Place {
  std::string column;
  std::optional<std::size_t> at;  // in each row's values; nothing where it isn't among them
};

// Where the generated ids belong: the primary key's column, or the one of its columns that gets no value, since none of them can be NULL.
std::optional<Place> place_of_ids(const sql::QueryShape& shape, const std::vector<std::string>& columns, const sql::Table& table) {
  auto primary = std::find_if(table.unique_keys.begin(), table.unique_keys.end(), [](const sql::UniqueKey& key) { return key.name == "PRIMARY"; });
  if (primary == table.unique_keys.end()) return std::nullopt;
  std::optional<Place> place;
  for (const std::string& key : primary->columns) {
    auto found = std::find_if(columns.begin(), columns.end(), [&](const std::string& column) { return same_name(column, key); });
    Place here{key, std::nullopt};
    if (found != columns.end()) here.at = static_cast<std::size_t>(found - columns.begin());
    bool gets_none = !here.at || std::any_of(shape.rows.begin(), shape.rows.end(), [&](const std::vector<sql::Value>& row) { return asks_for_an_id(row[*here.at].text); });
    if (!gets_none) continue;
    if (place) return std::nullopt;
    place = std::move(here);
  }
  return place;
}

struct Edit {
  std::size_t begin, end;
  std::string text;
};

// The edits that put the ids in; fewer than rows where something else stands in their place.
std::vector<Edit> edits_for(std::string_view text, const sql::Lexed& lexed, const Place& place, bool has_list, std::uint64_t first) {
  std::vector<Edit> edits;
  std::size_t depth = 0, column = 0, begin = 0, end = 0;
  std::uint64_t next = first;
  enum class Part { before, columns, values } part = has_list ? Part::before : Part::columns;
  auto close_value = [&] {
    if (place.at && part == Part::values && column == *place.at && end > begin && asks_for_an_id(text.substr(begin, end - begin))) edits.push_back({begin, end, std::to_string(next++)});
    begin = end = 0;
    ++column;
  };
  for (const Token& token : lexed.tokens) {
    const std::string_view word = sql::text_of(text, token);
    const bool is_symbol = token.kind == TokenKind::symbol;
    if (depth == 0 && part == Part::columns && token.kind == TokenKind::word && (same_name(word, "values") || same_name(word, "value"))) part = Part::values;
    if (is_symbol && token.symbol == sql::symbol_code(")") && depth > 0 && --depth == 0) close_value();
    if (depth == 1 && is_symbol && token.symbol == sql::symbol_code(",")) {
      close_value();
      continue;
    }
    if (depth > 0) {
      if (end == 0) begin = token.offset;
      end = token.offset + std::size_t{token.length};
    }
    if (!is_symbol || token.symbol != sql::symbol_code("(")) continue;
    if (depth++ > 0) continue;
    column = begin = end = 0;
    const std::size_t behind = token.offset + std::size_t{token.length};
    if (!place.at && part == Part::before) edits.push_back({behind, behind, sql::quote_name(place.column) + ", "});
    if (!place.at && part == Part::values) edits.push_back({behind, behind, std::to_string(next++) + ", "});
    if (part == Part::before) part = Part::columns;
  }
  return edits;
}

}  // namespace

std::optional<std::string> with_ids_written_in(std::string_view text, const sql::Dialect& dialect, const sql::Table& table, std::uint64_t first) {
  const sql::QueryShape shape = sql::shape_of(text, dialect);
  if (!is_plain_insert(shape)) return std::nullopt;
  const std::vector<std::string> columns = inserted_columns(shape, &table);
  if (columns.empty() || std::any_of(shape.rows.begin(), shape.rows.end(), [&](const std::vector<sql::Value>& row) { return row.size() != columns.size(); })) return std::nullopt;
  const auto place = place_of_ids(shape, columns, table);
  if (!place) return std::nullopt;
  const std::vector<Edit> edits = edits_for(text, sql::lex(text, dialect), *place, !shape.columns.empty(), first);
  std::string out;
  std::size_t done = 0;
  for (const Edit& edit : edits) {
    out += text.substr(done, edit.begin - done);
    out += edit.text;
    done = edit.end;
  }
  out += text.substr(done);
  // What was meant is what came of it: the ids stand where they were to stand, and the rest is as it was.
  const sql::QueryShape written = sql::shape_of(out, dialect);
  const std::size_t added = place->at ? 0 : 1, at = place->at.value_or(0);
  bool is_whole = !edits.empty() && is_plain_insert(written) && written.row_count == shape.row_count && written.columns.size() == (shape.columns.empty() ? 0 : shape.columns.size() + added);
  if (!place->at) is_whole = is_whole && same_name(written.columns.front(), place->column);
  std::uint64_t next = first;
  for (std::size_t n = 0; is_whole && n < written.rows.size(); ++n) {
    is_whole = written.rows[n].size() == shape.rows[n].size() + added;
    bool was_made = added == 1 || asks_for_an_id(shape.rows[n][at].text);
    if (is_whole && was_made) is_whole = written.rows[n][at].text == std::to_string(next++);
  }
  return is_whole ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace darktap::replay
