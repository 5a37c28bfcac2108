#include "sql/views.h"

#include <algorithm>
#include <vector>

#include "editable.h"
#include "sql/rewrite.h"
#include "words.h"

namespace darktap::sql {
namespace {

// A view that only picks columns and rows promises as much about order as the statement around it.
bool leaves_something_open(const Editable& view) {
  for (std::uint32_t i = view.statement().begin; i < view.statement().end; ++i) {
    const Token& token = view.lexed.tokens[i];
    if (token.kind != TokenKind::word || view.parsed.roles[i] == Role::name) continue;
    switch (static_cast<W>(token.word)) {
      case W::limit_: case W::distinct_: case W::group_: case W::union_: case W::except_: case W::intersect_: case W::over_: return true;
      default: break;
    }
  }
  return std::any_of(view.statement().functions.begin(), view.statement().functions.end(), [](const FunctionUse& use) {
    return use.function->trait == Trait::aggregate || use.function->trait == Trait::builder;
  });
}

std::optional<std::string> written_out_once(std::string_view text, const Catalogue& catalogue, std::string_view schema, const Dialect& dialect) {
  std::optional<Editable> source = editable(text, dialect);
  if (!source || !is_plain_read(source->statement())) return std::nullopt;
  struct Edit {
    std::size_t begin, end;
    std::string put;
  };
  std::vector<Edit> edits;
  auto name = [&](std::uint32_t token) { return name_of(text, source->lexed.tokens[token]); };
  for (const TableRef& ref : source->statement().tables) {
    if (ref.derived || ref.name == no_token) continue;
    const View* view = catalogue.view(ref.schema == no_token ? std::string(schema) : name(ref.schema), name(ref.name));
    if (view == nullptr || view->definition.empty()) continue;
    std::optional<Editable> definition = editable(view->definition, dialect);
    if (!definition || !is_plain_read(definition->statement()) || !leaves_something_open(*definition)) continue;
    std::string put = "(" + view->definition + "\n)";
    if (ref.alias == no_token) put += " AS " + quote_name(name(ref.name));
    edits.push_back({begin_of(*source, ref.schema == no_token ? ref.name : ref.schema), end_of(*source, ref.name), std::move(put)});
  }
  if (edits.empty()) return std::nullopt;
  std::sort(edits.begin(), edits.end(), [](const Edit& x, const Edit& y) { return x.begin > y.begin; });
  std::string sql(text);
  for (const Edit& edit : edits) sql.replace(edit.begin, edit.end - edit.begin, edit.put);
  return sql.size() > max_written_out_bytes ? std::nullopt : still_read(std::move(sql), dialect);
}

}  // namespace

std::optional<std::string> with_views_written_out(std::string_view text, const Catalogue& catalogue, std::string_view schema, const Dialect& dialect) {
  if (catalogue.views.empty()) return std::nullopt;
  std::optional<std::string> result = written_out_once(text, catalogue, schema, dialect);
  for (std::size_t depth = 1; result && depth < max_view_depth; ++depth) {
    auto deeper = written_out_once(*result, catalogue, schema, dialect);
    if (!deeper) break;
    result = std::move(deeper);
  }
  return result;
}

}  // namespace darktap::sql
