// Queries: [WITH …] SELECT | VALUES ROW | TABLE | (query), set operations, and the tail (ORDER BY, LIMIT, INTO, locks).
#include "parser.h"

namespace darktap::sql {

bool Parser::query(Capture capture) {
  Nest nest(*this);
  if (nest.too_deep()) return fail("nested too deeply");
  ++block_;
  std::size_t in_scope = ctes_.size();
  bool parenthesized_part = false;
  bool good = (!is(W::with_) || with_clause()) && query_primary(capture, parenthesized_part);
  if (good && capture == Capture::top && parenthesized_part) {
    // (SELECT …) LIMIT 1: two tails of which only the server knows the sum.
    bool more = !at_end() && !is_symbol(')');
    good = query_rest(Capture::top);
    if (more && !out_.set_operation) out_.parenthesized_with_tail = true;
  } else if (good) {
    good = query_rest(capture);
  }
  for (; ctes_.size() > in_scope; ctes_.pop_back()) --cte_count_[ctes_.back()];
  --block_;
  return good;
}

bool Parser::query_rest(Capture capture) {
  Block* block = capture == Capture::top ? &out_.top : nullptr;
  while (is_any({W::union_, W::except_, W::intersect_, W::minus_})) {
    std::string op(spelling(word()));
    take(Role::keyword);
    if (accept(W::all_)) op += " all";
    else accept(W::distinct_);
    if (capture == Capture::top && !out_.set_operation) {
      out_.set_operation = true;
      out_.set_operator = op;
      if (block->limit.count != no_token) out_.subquery_with_limit = true;
      block->limit = {};
      block->order_by.clear();
      block->limit_clause = block->order_clause = {};
    }
    bool parenthesized_part = false;
    if (!query_primary(Capture::no, parenthesized_part)) return false;
  }
  return tail(block);
}

bool Parser::query_primary(Capture capture, bool& parenthesized_part) {
  if (is_symbol('(')) {
    take(Role::keyword);
    --block_;
    parenthesized_part = true;
    bool good = query(capture) && expect_symbol(')');
    ++block_;
    return good;
  }
  if (is(W::select_)) return select_block(capture);
  if (is(W::values_)) {
    if (capture == Capture::top) out_.top.values_or_table = true;
    return values_block();
  }
  if (is(W::table_)) {
    std::uint32_t first = at_;
    take(Role::keyword);
    TableRef ref;
    if (!table_name(ref)) return false;
    ref.read = true;
    ref.in_top_from = capture == Capture::top;
    add_table(ref);
    if (capture == Capture::top) {
      out_.top.values_or_table = true;
      out_.top.seen = true;
      out_.top.select = {first, at_};
    }
    return true;
  }
  return fail("expected a query");
}

bool Parser::with_clause() {
  take(Role::keyword);
  out_.has_cte = true;
  bool recursive = accept(W::recursive_);
  do {
    std::uint32_t where = at_;
    if (!name()) return false;
    std::string cte = tokens_[where].kind == TokenKind::quoted_name ? name_of(text_, tokens_[where]) : std::string(text(where));
    for (char& c : cte) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    if (is_symbol('(') && !name_list()) return false;
    if (recursive) {
      ctes_.push_back(cte);
      ++cte_count_[cte];
    }
    if (!expect(W::as_) || !expect_symbol('(') || !subquery()) return false;
    if (!recursive) {
      ctes_.push_back(cte);
      ++cte_count_[cte];
    }
    if (accept(W::cycle_)) {  // MariaDB: CYCLE columns RESTRICT
      do {
        if (!name()) return false;
      } while (accept_symbol(','));
      if (!expect(W::restrict_)) return false;
    }
  } while (accept_symbol(','));
  return true;
}

bool Parser::values_block() {
  std::uint32_t first = at_;
  take(Role::keyword);
  do {
    accept(W::row_);
    if (!expect_symbol('(') || !expression_list() || !expect_symbol(')')) return false;
  } while (accept_symbol(','));
  if (block_ == 0 && !out_.top.seen) {
    out_.top.seen = true;
    out_.top.select = {first, at_};
  }
  return true;
}

bool Parser::select_block(Capture capture) {
  Block* block = capture == Capture::top ? &out_.top : nullptr;
  std::uint32_t first = at_;
  take(Role::keyword);
  for (;;) {
    if (is_any({W::distinct_, W::distinctrow_})) {
      take(Role::keyword);
      if (block != nullptr) block->distinct = true;
    } else if (is(W::sql_calc_found_rows_)) {
      if (block != nullptr) block->sql_calc_found_rows = at_;
      take(Role::keyword);
    } else if (!accept_any({W::all_, W::high_priority_, W::straight_join_, W::sql_small_result_, W::sql_big_result_, W::sql_buffer_result_,
                            W::sql_no_cache_, W::sql_cache_})) {
      break;
    }
  }
  do {
    if (!select_item(block)) return false;
  } while (accept_symbol(','));
  if (is(W::into_) && !into()) return false;
  if (is(W::from_)) {
    take(Role::keyword);
    std::uint32_t begin = at_;
    bool dual = accept(W::dual_);
    if (!dual) {
      bool outside = in_from_;
      in_from_ = capture == Capture::top;
      bool good = table_references();
      in_from_ = outside;
      if (!good) return false;
    }
    if (block != nullptr) {
      block->from = {begin, at_};
      block->has_from = !dual;
    }
  }
  if (block != nullptr) block->where_at = at_;
  if (is(W::where_)) {
    take(Role::keyword);
    std::uint32_t begin = at_;
    if (!expression()) return false;
    if (block != nullptr) block->where = {begin, at_};
  }
  if (accept(W::group_)) {
    if (!expect(W::by_) || !order_keys(block != nullptr ? &block->group_by : nullptr)) return false;
    bool rollup = accept_words({W::with_, W::rollup_});
    if (block != nullptr) block->grouped = true, block->rollup = rollup;
  }
  if (is(W::having_)) {
    take(Role::keyword);
    std::uint32_t begin = at_;
    if (!expression()) return false;
    if (block != nullptr) block->having = {begin, at_};
  }
  if (is(W::window_) && is_name(1)) {
    take(Role::keyword);
    if (block != nullptr) block->named_windows = true;
    do {
      if (!name() || !expect(W::as_) || !window_specification()) return false;
    } while (accept_symbol(','));
  }
  if (block != nullptr) {
    block->seen = true;
    block->select = {first, at_};
  }
  return true;
}

bool Parser::select_item(Block* block) {
  ItemRef item;
  item.expression.begin = at_;
  if (is_symbol('*')) {
    take(Role::name);
    item.expression.end = at_;
  } else if (is_name() && is_symbol('.', 1) && is_symbol('*', 2)) {
    for (int i = 0; i < 3; ++i) take(Role::name);
    item.expression.end = at_;
  } else if (is_name() && is_symbol('.', 1) && is_symbol('.', 3) && is_symbol('*', 4)) {
    for (int i = 0; i < 5; ++i) take(Role::name);
    item.expression.end = at_;
  } else {
    if (!expression()) return false;
    item.expression.end = at_;
    if (!alias(item.alias)) return false;
  }
  if (block != nullptr) {
    if (block->items.empty()) block->items.reserve(8);
    block->items.push_back(item);
  }
  return true;
}

// [[AS] alias] of a select item.
bool Parser::alias(std::uint32_t& where) {
  if (accept(W::as_)) {
    where = at_;
    if (token().kind == TokenKind::string) {
      take(Role::alias);
      return true;
    }
    return name(Role::alias);
  }
  if (token().kind == TokenKind::string) {
    where = at_;
    take(Role::alias_bare);
    return true;
  }
  // Words that some versions reserve begin a clause here.
  if (!is_name() || is_any({W::except_, W::intersect_, W::minus_, W::returning_}) || (is(W::window_) && is(W::as_, 2))) return true;
  where = at_;
  take(Role::alias_bare);
  return true;
}

bool Parser::order_keys(std::vector<KeyRef>* keys) {
  do {
    KeyRef key;
    key.expression.begin = at_;
    bool position = token().kind == TokenKind::number;
    std::uint32_t first = at_;
    if (!expression()) return false;
    if (position && at_ == first + 1) roles_[first] = Role::position;
    key.expression.end = at_;
    if (at_ - first >= 3 && tokens_[at_ - 2].kind == TokenKind::word && static_cast<W>(tokens_[at_ - 2].word) == W::collate_) key.collation = at_ - 1;
    if (is(W::asc_)) take(Role::dropped);
    else key.descending = accept(W::desc_);
    if (keys != nullptr) keys->push_back(key);
  } while (accept_symbol(','));
  return true;
}

bool Parser::limit(Block* block) {
  std::uint32_t begin = at_;
  LimitRef found;
  auto count = [&](std::uint32_t& where) {
    if (token().kind != TokenKind::number && token().kind != TokenKind::placeholder) return fail("expected a number of rows");
    if (text(at_).find_first_of(".eE") != std::string_view::npos && token().kind == TokenKind::number) return fail("expected a whole number");
    where = at_;
    take(Role::keyword);
    return true;
  };
  if (accept(W::limit_)) {
    if (accept_words({W::rows_, W::examined_})) {
      found.unusual = true;
      std::uint32_t ignored = 0;
      if (!count(ignored)) return false;
    } else {
      if (!count(found.count)) return false;
      if (accept_symbol(',')) {
        found.offset = found.count;
        if (!count(found.count)) return false;
      } else if (is(W::offset_)) {
        take(Role::comma);
        if (!count(found.offset)) return false;
      }
      if (accept_words({W::rows_, W::examined_})) {
        found.unusual = true;
        std::uint32_t ignored = 0;
        if (!count(ignored)) return false;
      }
    }
  } else {  // OFFSET n ROWS FETCH FIRST m ROWS ONLY
    found.unusual = true;
    if (accept(W::offset_)) {
      if (!count(found.offset) || !accept_any({W::row_, W::rows_})) return fail("expected ROWS");
    }
    if (accept(W::fetch_)) {
      if (!accept_any({W::first_, W::next_})) return fail("expected FIRST or NEXT");
      if (token().kind == TokenKind::number || token().kind == TokenKind::placeholder) {
        if (!count(found.count)) return false;
      }
      if (!accept_any({W::row_, W::rows_})) return fail("expected ROWS");
      if (accept(W::only_)) {
        found.unusual = found.count == no_token;
      } else {
        if (!accept_words({W::with_, W::ties_})) return fail("expected ONLY or WITH TIES");
        found.whole_ties = found.offset == no_token;
      }
    }
  }
  if (block != nullptr) {
    block->limit = found;
    block->limit_clause = {begin, at_};
  }
  return true;
}

bool Parser::tail(Block* block) {
  if (is(W::order_)) {
    std::uint32_t clause = at_;
    take(Role::keyword);
    if (block != nullptr) block->order_by.clear();
    if (!expect(W::by_) || !order_keys(block != nullptr ? &block->order_by : nullptr)) return false;
    if (block != nullptr) block->order_clause = {clause, at_};
  }
  if (is(W::limit_) || (is_any({W::offset_, W::fetch_}) && (token(1).kind == TokenKind::number || token(1).kind == TokenKind::placeholder || is_any({W::first_, W::next_}, 1)))) {
    if (!limit(block)) return false;
    if (block == nullptr) out_.subquery_with_limit = true;
  }
  if (is(W::procedure_)) {  // PROCEDURE ANALYSE (…), up to MySQL 5.7
    take(Role::keyword);
    if (lower_text(at_) != "analyse") return fail("expected ANALYSE");
    take(Role::function);
    if (!expect_symbol('(')) return false;
    if (!accept_symbol(')') && (!expression_list() || !expect_symbol(')'))) return false;
  }
  while (is(W::into_) || is(W::lock_) || (is(W::for_) && is_any({W::update_, W::share_}, 1))) {
    if (is(W::into_)) {
      if (!into()) return false;
    } else if (!locking()) {
      return false;
    }
  }
  return true;
}

bool Parser::locking() {
  out_.locking = true;
  std::uint32_t where = at_;
  if (accept(W::for_)) {
    bool update = is(W::update_);
    take(Role::keyword);
    effect(EffectKind::row_lock, where, update ? "for update" : "for share", false);
    if (accept(W::of_)) {
      do {
        if (!name(Role::table) || (accept_symbol('.') && !name(Role::table))) return false;
      } while (accept_symbol(','));
    }
  } else {
    if (!accept_words({W::lock_, W::in_, W::share_, W::mode_})) return fail("expected LOCK IN SHARE MODE");
    effect(EffectKind::row_lock, where, "lock in share mode", false);
  }
  if (accept(W::nowait_) || accept_words({W::skip_, W::locked_})) return true;
  if (accept(W::wait_)) {
    if (token().kind != TokenKind::number) return fail("expected seconds");
    take(Role::keyword);
  }
  return true;
}

// INTO OUTFILE | DUMPFILE | variables.
bool Parser::into() {
  std::uint32_t where = at_;
  take(Role::keyword);
  if (is_any({W::outfile_, W::dumpfile_})) {
    effect(EffectKind::file, where, is(W::outfile_) ? "into outfile" : "into dumpfile", true);
    take(Role::keyword);
    if (!string_literal()) return false;
    for (;;) {
      if (accept_words({W::character_, W::set_}) || accept(W::charset_)) {
        if (!charset_name()) return false;
      } else if (token().kind == TokenKind::string || token().kind == TokenKind::hex ||
                 is_any({W::fields_, W::columns_, W::terminated_, W::optionally_, W::enclosed_, W::escaped_, W::by_, W::lines_, W::starting_})) {
        take(Role::keyword);
      } else {
        break;
      }
    }
    return true;
  }
  do {
    if (token().kind == TokenKind::user_variable) {
      effect(EffectKind::user_variable, at_, text(at_), true);
      take(Role::name);
    } else {
      effect(EffectKind::user_variable, at_, text(at_), true);  // a routine's own variable
      if (!name()) return false;
    }
  } while (accept_symbol(','));
  return true;
}

}  // namespace darktap::sql
