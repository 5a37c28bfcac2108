// INSERT, REPLACE, UPDATE and DELETE, in all their forms.
#include "parser.h"
#include "sql/query_shape.h"

namespace darktap::sql {

bool Parser::insert_or_replace() {
  bool replace = is(W::replace_);
  out_.verb = replace ? Verb::replace : Verb::insert;
  out_.verb_text = replace ? "replace" : "insert";
  effect(EffectKind::write, at_, out_.verb_text, false);
  take(Role::keyword);
  accept_any({W::low_priority_, W::delayed_, W::high_priority_});
  out_.ignores = accept(W::ignore_);
  accept(W::into_);
  TableRef target;
  if (!table_name(target)) return false;
  target.written = true;
  if (is(W::partition_) && is_symbol('(', 1)) {
    take(Role::keyword);
    if (!name_list()) return false;
  }
  add_table(target);
  bool only_columns = false;
  if (is_symbol('(') && !starts_query(1) && !is_symbol('(', 1)) {
    take(Role::keyword);
    only_columns = true;
    if (!accept_symbol(')')) {
      do {
        std::uint32_t column = at_;
        if (!name()) return false;
        while (accept_symbol('.')) {  // table.column, schema.table.column
          column = at_;
          if (token().kind != TokenKind::word && token().kind != TokenKind::quoted_name) return fail("expected a column");
          take(Role::name);
        }
        if (shaped_) out_.insert_columns.push_back(column);
      } while (accept_symbol(','));
      if (!expect_symbol(')')) return false;
    }
  }
  if ((is(W::values_) && !(is(W::row_, 1) && is_symbol('(', 2))) || (is(W::value_) && is_symbol('(', 1))) {
    take(Role::keyword);
    do {
      std::vector<TokenRange> row;
      bool kept = shaped_ && out_.rows.size() < max_shape_rows;
      if (!value_row(kept ? &row : nullptr)) return false;
      if (kept) out_.rows.push_back(std::move(row));
      ++out_.row_count;
    } while (accept_symbol(','));
  } else if (is(W::set_) && !only_columns) {
    take(Role::keyword);
    std::vector<AssignmentRef> pairs;
    if (!assignments(&pairs)) return false;
    std::vector<TokenRange> row;
    for (const AssignmentRef& pair : pairs) {
      out_.insert_columns.push_back(pair.target.end - 1);
      row.push_back(pair.value);
    }
    out_.rows.push_back(std::move(row));
    out_.row_count = 1;
  } else if (starts_query() || is_symbol('(')) {
    out_.from_select = true;
    if (!query(Capture::no)) return false;
  } else {
    return fail("expected VALUES, SET or a query");
  }
  if (!out_.from_select && accept(W::as_)) {  // the new row's alias
    if (!name(Role::alias)) return false;
    if (is_symbol('(') && !name_list()) return false;
  }
  if (is(W::on_) && is(W::duplicate_, 1)) {
    if (!accept_words({W::on_, W::duplicate_, W::key_, W::update_})) return fail("expected ON DUPLICATE KEY UPDATE");
    out_.on_duplicate = true;
    if (!assignments(shaped_ ? &out_.assignments : nullptr)) return false;
  }
  if (!returning()) return false;
  return finish(StatementClass::write);
}

bool Parser::value_row(std::vector<TokenRange>* into) {
  accept(W::row_);
  if (!expect_symbol('(')) return false;
  if (accept_symbol(')')) return true;
  std::size_t count = 0;
  if (into != nullptr) into->reserve(16);
  do {
    TokenRange value;
    if (!value_or_default(value)) return false;
    if (++count > max_columns) return fail("too many columns");
    if (into != nullptr) into->push_back(value);
  } while (accept_symbol(','));
  return expect_symbol(')');
}

bool Parser::value_or_default(TokenRange& range) {
  range.begin = at_;
  if (is(W::default_) && !is_symbol('(', 1)) take(Role::keyword);
  else if (is(W::ignore_)) take(Role::keyword);  // MariaDB's bulk marker
  else if (!expression()) return false;
  range.end = at_;
  return true;
}

bool Parser::assignments(std::vector<AssignmentRef>* into) {
  do {
    AssignmentRef found;
    found.target.begin = at_;
    if (!name()) return false;
    while (is_symbol('.')) {
      take(Role::name);
      if (token().kind != TokenKind::word && token().kind != TokenKind::quoted_name) return fail("expected a column");
      take(Role::name);
    }
    found.target.end = at_;
    if (!accept_symbol('=') && !accept_symbol(symbol_code(":="))) return fail("expected '='");
    if (!value_or_default(found.value)) return false;
    if (into != nullptr) into->push_back(found);
  } while (accept_symbol(','));
  return true;
}

bool Parser::returning() {
  if (!accept(W::returning_)) return true;
  do {
    if (!select_item(nullptr)) return false;
  } while (accept_symbol(','));
  return true;
}

bool Parser::write_tail(Block& block) {
  block.where_at = at_;
  if (is(W::where_)) {
    take(Role::keyword);
    std::uint32_t begin = at_;
    if (!expression()) return false;
    block.where = {begin, at_};
  }
  if (is(W::order_)) {
    std::uint32_t clause = at_;
    take(Role::keyword);
    if (!expect(W::by_) || !order_keys(&block.order_by)) return false;
    block.order_clause = {clause, at_};
  }
  if (is(W::limit_) && !limit(&block)) return false;
  return true;
}

bool Parser::update() {
  out_.verb = Verb::update;
  out_.verb_text = "update";
  effect(EffectKind::write, at_, "update", false);
  take(Role::keyword);
  accept(W::low_priority_);
  out_.ignores = accept(W::ignore_);
  in_from_ = true;
  block_ = 0;
  out_.top.seen = true;
  std::uint32_t begin = at_;
  std::size_t first_table = out_.tables.size();
  if (!table_references()) return false;
  in_from_ = false;
  out_.top.from = {begin, at_};
  if (!expect(W::set_) || !assignments(&out_.assignments)) return false;
  // Written are the tables whose columns are assigned; a bare column may belong to any of them.
  std::size_t bases = 0;
  for (std::size_t i = first_table; i < out_.tables.size(); ++i) bases += out_.tables[i].in_top_from && !out_.tables[i].derived;
  out_.multi_table = bases > 1 || out_.tables.size() - first_table > 1;
  for (std::size_t i = first_table; i < out_.tables.size(); ++i) {
    TableRef& ref = out_.tables[i];
    if (!ref.in_top_from || ref.derived) continue;
    if (bases == 1) {
      ref.written = true;
      ref.read = false;
      continue;
    }
    std::string own = name_of(text_, tokens_[ref.alias != no_token ? ref.alias : ref.name]);
    for (const AssignmentRef& pair : out_.assignments) {
      std::uint32_t parts = pair.target.end - pair.target.begin;
      if (parts == 1 || name_of(text_, tokens_[pair.target.end - 3]) == own) ref.written = true;
    }
  }
  return write_tail(out_.top) && returning() && finish(StatementClass::write);
}

// DELETE FROM t …; DELETE t1, t2 FROM refs …; DELETE FROM t1, t2 USING refs ….
bool Parser::remove() {
  out_.verb = Verb::remove;
  out_.verb_text = "delete";
  effect(EffectKind::write, at_, "delete", false);
  take(Role::keyword);
  while (accept_any({W::low_priority_, W::quick_})) {
  }
  if (is(W::ignore_)) {
    take(Role::keyword);
    out_.ignores = true;
  }
  bool from_first = accept(W::from_);
  block_ = 0;
  out_.top.seen = true;
  std::uint32_t begin = at_;
  std::vector<TableRef> targets;
  do {
    TableRef target;
    if (!table_name(target)) return false;
    target.written = true;
    bool star = accept_symbol('.');
    if (star && !expect_symbol('*')) return false;
    targets.push_back(target);
  } while (accept_symbol(','));
  bool multi = from_first ? is(W::using_) : is(W::from_);
  if (!multi) {
    if (!from_first || targets.size() > 1) return fail("expected FROM");
    TableRef& target = targets.front();
    if (is(W::partition_) && is_symbol('(', 1)) {
      take(Role::keyword);
      if (!name_list()) return false;
    }
    if (is(W::for_) && is_any({W::portion_, W::system_time_}, 1) && !system_time()) return false;
    if (!table_alias(target, false)) return false;
    if (is(W::before_)) return fail("not expected here");
    target.in_top_from = true;
    add_table(target);
    out_.top.from = {begin, at_};
    return write_tail(out_.top) && returning() && finish(StatementClass::write);
  }
  take(Role::keyword);
  out_.multi_table = true;
  std::size_t first_table = out_.tables.size();
  begin = at_;
  in_from_ = true;
  if (!table_references()) return false;
  in_from_ = false;
  out_.top.from = {begin, at_};
  // A target names a table of the references, by alias or by name.
  for (const TableRef& target : targets) {
    std::string wanted = name_of(text_, tokens_[target.name]);
    bool found = false;
    for (std::size_t i = first_table; i < out_.tables.size() && !found; ++i) {
      TableRef& ref = out_.tables[i];
      if (ref.derived || !ref.in_top_from) continue;
      if (name_of(text_, tokens_[ref.alias != no_token ? ref.alias : ref.name]) != wanted) continue;
      ref.written = found = true;
    }
    if (!found) add_table(target);
  }
  return write_tail(out_.top) && finish(StatementClass::write);
}

}  // namespace darktap::sql
