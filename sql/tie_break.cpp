#include "sql/tie_break.h"

#include <algorithm>
#include <vector>

#include "editable.h"
#include "words.h"

namespace darktap::sql {
namespace {

// A block of the statement, as far as its ties are concerned: what stands between two parentheses, or the whole.
struct Scope {
  int depth = 0;                // of parentheses around it
  bool selects = false;         // a SELECT stands in it; other parentheses belong to the block around them
  bool set_operation = false, distinct = false, known_tables = true, grouped = false;
  std::vector<std::string> row_keys, group_keys;  // the primary keys of its tables; its GROUP BY
  std::uint32_t begin = no_token, from = no_token, where = no_token, order = no_token, limit = no_token, group = no_token, having = no_token, end = no_token;
};

// An ORDER BY that leaves ties open, in OVER (…), in GROUP_CONCAT or before a LIMIT.
struct Place {
  std::size_t scope = 0;
  std::uint32_t before = 0;  // the token that the keys go in front of
  bool ordered = false;      // there is an ORDER BY already
  enum class Of : std::uint8_t { rows, limited_rows, list } of = Of::rows;
  TokenRange limit;
};

class TieBreaker {
 public:
  TieBreaker(std::string_view text, const Editable& source, const Catalogue* catalogue, std::string_view schema)
      : text_(text), source_(source), catalogue_(catalogue), schema_(schema) {}

  // False where the statement is not of a shape that is known here.
  bool look() {
    scopes_.push_back({});
    std::vector<std::size_t> open{0};
    bool in_from = false;
    std::vector<bool> from_stack;
    const std::uint32_t end = source_.statement().end;
    for (std::uint32_t i = source_.statement().begin; i < end; ++i) {
      Scope* scope = &scopes_[open.back()];
      if (symbol(i, '(')) {
        bool of_tables = i > 0 && (is(i - 1, W::from_) || is(i - 1, W::join_) || is(i - 1, W::straight_join_) || is(i - 1, W::lateral_) || symbol(i - 1, ','));
        if (in_from && of_tables) scope->known_tables = false;  // a derived table, or tables in parentheses
        from_stack.push_back(in_from);
        std::size_t around = open.back();
        if (is(i + 1, W::select_) || is(i + 1, W::with_)) {
          scopes_.push_back({});
          scopes_.back().depth = static_cast<int>(from_stack.size());
          scopes_.back().begin = i + 1;
          open.push_back(scopes_.size() - 1);
        } else {
          open.push_back(around);
        }
        in_from = false;
        if (i > 0 && is(i - 1, W::over_) && !window(i, around)) return false;
        if (i > 0 && !list(i, around)) return false;
        continue;
      }
      if (symbol(i, ')')) {
        if (from_stack.empty()) return false;
        if (scopes_[open.back()].depth == static_cast<int>(from_stack.size())) scopes_[open.back()].end = i;
        open.pop_back();
        in_from = from_stack.back();
        from_stack.pop_back();
        continue;
      }
      if (is(i, W::over_) && !symbol(i + 1, '(')) return false;  // a named window
      // Clauses count at the block's own level only.
      if (scope->depth != static_cast<int>(from_stack.size())) continue;
      if (in_from && names_table(i)) {
        if (!table(i, *scope)) scope->known_tables = false;
        continue;
      }
      if (source_.lexed.tokens[i].kind != TokenKind::word || source_.parsed.roles[i] == Role::name) continue;
      switch (static_cast<W>(source_.lexed.tokens[i].word)) {
        case W::select_: scope->selects = true; break;
        case W::distinct_: case W::distinctrow_: scope->distinct = scope->distinct || is(i - 1, W::select_); break;
        case W::union_: case W::except_: case W::intersect_: scope->set_operation = true; in_from = false; break;
        case W::from_:
          scope->from = i;
          in_from = true;
          break;
        case W::where_:
          scope->where = i;
          in_from = false;
          break;
        case W::having_:
          scope->having = i;
          in_from = false;
          break;
        case W::group_: scope->group = i; scope->grouped = true; in_from = false; break;
        case W::order_: scope->order = i; in_from = false; break;
        case W::limit_: scope->limit = i; in_from = false; break;
        case W::fetch_: case W::window_: return false;
        default: break;
      }
    }
    scopes_[0].end = end;
    for (std::size_t s = 0; s < scopes_.size(); ++s) {
      Scope& scope = scopes_[s];
      if (scope.grouped && !read_group_keys(scope)) scope.known_tables = false;
      if (scope.limit == no_token) continue;
      places_.push_back({s, scope.limit, scope.order != no_token, Place::Of::limited_rows, {scope.limit, scope.end}});
    }
    return from_stack.empty();
  }

  std::optional<std::string> broken(Direction direction) const {
    if (places_.empty()) return std::nullopt;
    std::vector<std::pair<std::size_t, std::string>> edits;
    for (const Place& place : places_) {
      const Scope& scope = scopes_[place.scope];
      const std::vector<std::string>& keys = scope.grouped && place.of != Place::Of::list ? scope.group_keys : scope.row_keys;
      bool distinct = place.of == Place::Of::limited_rows && scope.distinct;
      if (scope.set_operation || !scope.known_tables || keys.empty() || distinct) return std::nullopt;
      std::string added = place.ordered ? ", " : " ORDER BY ";
      for (std::size_t k = 0; k < keys.size(); ++k) added += (k > 0 ? ", " : "") + keys[k] + (direction == Direction::descending ? " DESC" : "");
      edits.emplace_back(begin_of(source_, place.before), added + " ");
    }
    std::sort(edits.begin(), edits.end(), [](const auto& x, const auto& y) { return x.first > y.first; });
    std::string sql(text_);
    for (const auto& [at, added] : edits) sql.insert(at, added);
    return sql;
  }

  std::optional<std::string> unlimited() const {
    std::vector<std::pair<std::size_t, std::size_t>> cuts;
    for (const Place& place : places_)
      if (place.of == Place::Of::limited_rows && scopes_[place.scope].depth > 0) cuts.emplace_back(begin_of(source_, place.limit.begin), end_of(source_, place.limit.end - 1));
    if (cuts.empty()) return std::nullopt;
    std::sort(cuts.begin(), cuts.end(), std::greater<>());
    std::string sql(text_);
    for (auto [begin, end] : cuts) sql.erase(begin, end - begin);
    return sql;
  }

  // The blocks below that a LIMIT cuts, one a LIMIT. Empty where something else leaves an order open as well, or a block's rows can't be
  // told apart.
  std::vector<const Scope*> windows() const {
    std::vector<const Scope*> found;
    for (const Place& place : places_) {
      const Scope& scope = scopes_[place.scope];
      if (place.of == Place::Of::limited_rows && scope.depth == 0) continue;  // the statement's own
      bool plain = scope.selects && !scope.set_operation && !scope.distinct && !scope.grouped && scope.having == no_token && scope.known_tables;
      if (place.of != Place::Of::limited_rows || !plain || scope.row_keys.empty() || scope.from == no_token) return {};
      found.push_back(&scope);
    }
    return found;
  }

  InnerWindow window_of(const Scope& scope) const {
    std::size_t begin = begin_of(source_, scope.begin);
    std::string sql(text_.substr(begin, end_of(source_, scope.end - 1) - begin)), keys;
    for (std::size_t k = 0; k < scope.row_keys.size(); ++k) keys += ", " + scope.row_keys[k] + " AS `__dt_p" + std::to_string(k + 1) + "`";
    sql.insert(begin_of(source_, scope.from) - begin, keys + " ");
    return {std::move(sql), scope.row_keys.size()};
  }

  std::string chosen(const std::vector<const Scope*>& windows, const std::vector<std::string>& rows) const {
    struct Edit {
      std::size_t at, length;
      std::string put;
    };
    std::vector<Edit> edits;
    for (std::size_t i = 0; i < windows.size(); ++i) {
      const Scope& scope = *windows[i];
      std::string condition;
      for (const std::string& key : scope.row_keys) condition += (condition.empty() ? "(" : ", ") + key;
      condition += ") IN " + rows[i] + " ";
      std::size_t limit = begin_of(source_, scope.limit), before = scope.order != no_token ? begin_of(source_, scope.order) : limit;
      edits.push_back({limit, end_of(source_, scope.end - 1) - limit, ""});
      edits.push_back({before, 0, scope.where == no_token ? "WHERE " + condition : ") AND " + condition});
      if (scope.where != no_token) edits.push_back({end_of(source_, scope.where), 0, " ("});
    }
    // From the back; what is put where the LIMIT was comes after that is gone.
    std::stable_sort(edits.begin(), edits.end(), [](const Edit& x, const Edit& y) { return x.at > y.at; });
    std::string sql(text_);
    for (const Edit& edit : edits) sql.replace(edit.at, edit.length, edit.put);
    return sql;
  }

 private:
  bool is(std::uint32_t token, W word) const {
    const Token& one = source_.lexed.tokens[token];
    return one.kind == TokenKind::word && static_cast<W>(one.word) == word;
  }
  bool symbol(std::uint32_t token, char character) const {
    const Token& one = source_.lexed.tokens[token];
    return one.kind == TokenKind::symbol && one.symbol == static_cast<std::uint32_t>(character);
  }
  std::string name(std::uint32_t token) const { return name_of(text_, source_.lexed.tokens[token]); }

  // The window functions in which ties show, and their windows' frames; RANK, CUME_DIST and sums over peers are left as they are.
  bool window(std::uint32_t open, std::size_t scope) {
    std::uint32_t close = open, order = no_token, frame = no_token;
    int depth = 0;
    for (;; ++close) {
      if (close >= source_.statement().end) return false;
      if (symbol(close, '(')) ++depth;
      if (symbol(close, ')') && --depth == 0) break;
      if (depth != 1) continue;
      if (is(close, W::order_)) order = close;
      if (frame == no_token && (is(close, W::rows_) || is(close, W::range_) || is(close, W::groups_))) frame = close;
    }
    const FunctionUse* called = nullptr;
    for (const FunctionUse& use : source_.statement().functions)
      if (use.windowed && use.call.contains(open) && (called == nullptr || use.call.begin > called->call.begin)) called = &use;
    if (called == nullptr) return false;
    std::string function(text_of(text_, source_.lexed.tokens[called->token]));
    for (char& c : function) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    constexpr std::string_view tied[] = {"row_number", "ntile", "lag", "lead", "first_value", "last_value", "nth_value"};
    bool by_rows = frame != no_token && is(frame, W::rows_);
    bool shows = std::find(std::begin(tied), std::end(tied), function) != std::end(tied) || by_rows;
    if (!shows) return true;
    if (frame != no_token && !by_rows) return false;  // peers count in its frame
    places_.push_back({scope, frame == no_token ? close : frame, order != no_token, Place::Of::rows, {}});
    return true;
  }

  // GROUP_CONCAT(…): which elements come first. JSON_ARRAYAGG knows no ORDER BY on every server.
  bool list(std::uint32_t open, std::size_t scope) {
    auto used = std::find_if(source_.statement().functions.begin(), source_.statement().functions.end(), [&](const FunctionUse& use) {
      return use.function != nullptr && use.function->trait == Trait::builder && use.token + 1 == open;
    });
    if (used == source_.statement().functions.end()) return true;
    if (used->windowed || std::string_view(used->function->name) != "group_concat" || is(open + 1, W::distinct_)) return false;
    std::uint32_t before = no_token;
    int depth = 0;
    for (std::uint32_t i = open; before == no_token; ++i) {
      if (i >= source_.statement().end) return false;
      if (symbol(i, '(')) ++depth;
      if ((symbol(i, ')') && --depth == 0) || (depth == 1 && (is(i, W::separator_) || is(i, W::limit_)))) before = i;
    }
    places_.push_back({scope, before, used->ordered, Place::Of::list, {}});
    return true;
  }

  // A table's own name, not its schema's, not an alias, not a column of USING or ON.
  bool names_table(std::uint32_t i) const {
    for (const TableRef& ref : source_.statement().tables)
      if (ref.name == i) return true;
    return false;
  }

  bool table(std::uint32_t i, Scope& scope) const {
    const auto& tables = source_.statement().tables;
    auto ref = std::find_if(tables.begin(), tables.end(), [&](const TableRef& one) { return one.name == i; });
    if (ref == tables.end() || ref->derived || catalogue_ == nullptr) return false;
    const Table* known = catalogue_->table(ref->schema == no_token ? schema_ : name(ref->schema), name(ref->name));
    if (known == nullptr) return false;
    auto primary = std::find_if(known->unique_keys.begin(), known->unique_keys.end(), [](const UniqueKey& key) { return key.name == "PRIMARY"; });
    if (primary == known->unique_keys.end()) return false;
    std::string qualifier = quoted(name(ref->alias != no_token ? ref->alias : ref->name));
    for (const std::string& column : primary->columns) scope.row_keys.push_back(qualifier + "." + quoted(column));
    return true;
  }

  static std::string quoted(std::string_view name) {
    std::string result = "`";
    for (char c : name) result += c == '`' ? std::string("``") : std::string(1, c);
    return result + "`";
  }

  // GROUP BY a, b: each group is one row, whose keys tell it apart.
  bool read_group_keys(Scope& scope) const {
    std::uint32_t i = scope.group + 2, from = i;
    if (!is(scope.group + 1, W::by_)) return false;
    int depth = 0;
    for (;; ++i) {
      bool over = i >= scope.end || (depth == 0 && (is(i, W::having_) || is(i, W::order_) || is(i, W::limit_) || is(i, W::with_) || is(i, W::window_)));
      if (!over && depth == 0 && symbol(i, ',')) over = true;
      if (symbol(i, '(') && !over) ++depth;
      if (symbol(i, ')') && !over) --depth;
      if (!over) continue;
      std::uint32_t to = i;
      if (to > from && (is(to - 1, W::asc_) || is(to - 1, W::desc_))) --to;
      if (to == from || (i < scope.end && is(i, W::with_))) return false;  // WITH ROLLUP
      scope.group_keys.emplace_back(slice(text_, source_, {from, to}));
      if (i >= scope.end || !symbol(i, ',')) return true;
      from = i + 1;
    }
  }

  std::string_view text_;
  const Editable& source_;
  const Catalogue* catalogue_;
  std::string schema_;
  std::vector<Scope> scopes_;
  std::vector<Place> places_;
};

}  // namespace

std::optional<std::string> break_ties(std::string_view text, const Catalogue& catalogue, std::string_view schema, Direction direction, const Dialect& dialect) {
  std::optional<Editable> source = editable(text, dialect);
  if (!source || !is_plain_read(source->statement())) return std::nullopt;
  TieBreaker breaker(text, *source, &catalogue, schema);
  if (!breaker.look()) return std::nullopt;
  auto broken = breaker.broken(direction);
  return broken ? still_read(std::move(*broken), dialect) : std::nullopt;
}

std::vector<InnerWindow> inner_windows(std::string_view text, const Catalogue& catalogue, std::string_view schema, const Dialect& dialect) {
  std::optional<Editable> source = editable(text, dialect);
  if (!source || !is_plain_read(source->statement())) return {};
  TieBreaker breaker(text, *source, &catalogue, schema);
  std::vector<InnerWindow> windows;
  if (!breaker.look()) return windows;
  for (const Scope* scope : breaker.windows()) {
    windows.push_back(breaker.window_of(*scope));
    if (!still_read(windows.back().sql, dialect)) return {};
  }
  return windows;
}

std::optional<std::string> with_rows_chosen(std::string_view text, const Catalogue& catalogue, std::string_view schema, const std::vector<std::string>& rows,
                                            const Dialect& dialect) {
  std::optional<Editable> source = editable(text, dialect);
  if (!source || !is_plain_read(source->statement())) return std::nullopt;
  TieBreaker breaker(text, *source, &catalogue, schema);
  if (!breaker.look()) return std::nullopt;
  std::vector<const Scope*> windows = breaker.windows();
  if (windows.empty() || windows.size() != rows.size()) return std::nullopt;
  return still_read(breaker.chosen(windows, rows), dialect);
}

std::optional<std::string> drop_inner_limits(std::string_view text, const Dialect& dialect) {
  std::optional<Editable> source = editable(text, dialect);
  if (!source || !is_plain_read(source->statement())) return std::nullopt;
  TieBreaker breaker(text, *source, nullptr, "");
  if (!breaker.look()) return std::nullopt;
  auto whole = breaker.unlimited();
  return whole ? still_read(std::move(*whole), dialect) : std::nullopt;
}

}  // namespace darktap::sql
