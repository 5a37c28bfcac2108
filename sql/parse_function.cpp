// Function calls: the special grammars inside their parentheses, OVER, and what is known of the function called.
#include "parser.h"

namespace darktap::sql {

// CURRENT_DATE and its like, which need no parentheses.
bool Parser::no_parenthesis_function() {
  if (!is_any({W::current_date_, W::current_time_, W::current_timestamp_, W::current_user_, W::current_role_, W::localtime_,
               W::localtimestamp_, W::utc_date_, W::utc_time_, W::utc_timestamp_, W::session_user_})) {
    return false;
  }
  if (is(W::session_user_)) return false;  // an ordinary column name elsewhere
  FunctionUse use;
  use.token = at_;
  use.function = find_function(text(at_));
  take(Role::function);
  use.call = {use.token, at_};
  note_function(use, 0);
  return true;
}

void Parser::note_function(FunctionUse use, std::uint32_t count) {
  use.block = block_ < 0 ? 0 : block_;
  std::string_view called = use.function->name;
  bool computed = (called == "unix_timestamp" && count == 1) || (called == "encrypt" && count == 2);
  use.varies = use.function->trait == Trait::varying && !computed;
  note_effect(*use.function, use.token, count > 0);
  out_.functions.push_back(use);
}

void Parser::note_effect(const Function& function, std::uint32_t token, bool with_arguments) {
  switch (function.trait) {
    case Trait::pure: case Trait::varying: case Trait::aggregate: case Trait::builder: case Trait::window: break;
    case Trait::user_lock: effect(EffectKind::user_lock, token, function.name, true); break;
    case Trait::sequence: effect(EffectKind::sequence, token, function.name, true); break;
    case Trait::sleep: effect(EffectKind::sleep, token, function.name, true); break;
    case Trait::benchmark: effect(EffectKind::benchmark, token, function.name, true); break;
    case Trait::file: effect(EffectKind::file, token, function.name, true); break;
  }
  if (with_arguments && function.name == "last_insert_id") effect(EffectKind::last_insert_id, token, function.name, !writes());
}

bool Parser::function_call() {
  Nest nest(*this);
  if (nest.too_deep()) return fail("nested too deeply");
  W called = word();
  FunctionUse use;
  use.token = at_;
  const Function* function = find_function(text(at_));
  bool spaced = tokens_[at_].offset + tokens_[at_].length != tokens_[at_ + 1].offset;
  bool reserved = reserve_of(called) == Reserve::reserved;
  if (function != nullptr && !reserved && spaced && !dialect_.mode.ignore_space && needs_adjacent_parenthesis(function->name)) {
    function = nullptr;  // with a blank it means a stored function of that name
  }
  if (function != nullptr && !reserved && !is_available(*function, dialect_.server)) function = nullptr;
  if (function == nullptr) {
    if (reserved) return fail("not a function");
    effect(EffectKind::stored_routine, at_, lower_text(at_), true);
    take(Role::function);
    take(Role::keyword);
    if (accept_symbol(')')) return true;
    return expression_list() && expect_symbol(')');
  }
  use.function = function;
  use.block = block_ < 0 ? 0 : block_;
  take(Role::function);
  take(Role::keyword);
  std::uint32_t count = 0;
  bool handled = false;
  if (!special_arguments(called, *function, count, use, handled)) return false;
  if (!handled) {
    if (!arguments(*function, count, use)) return false;
    if (count < function->fewest || (function->most < 99 && count > function->most)) return fail("wrong number of arguments");
    if (function->name == "json_object" && count % 2 != 0) return fail("wrong number of arguments");
  }
  if (!after_call(use)) return false;
  use.call = {use.token, at_};
  note_function(use, count);
  return true;
}

// [DISTINCT] arguments [ORDER BY …] [SEPARATOR …] [LIMIT …] ')'
bool Parser::arguments(const Function& function, std::uint32_t& count, FunctionUse& use) {
  if (accept_symbol(')')) return true;
  bool aggregates = function.trait == Trait::aggregate || function.trait == Trait::builder;
  if (aggregates) {
    bool distinct_allowed = function.name == "count" || function.name == "sum" || function.name == "avg" || function.name == "min" ||
                            function.name == "max" || function.trait == Trait::builder;
    if (distinct_allowed) accept_any({W::distinct_, W::distinctrow_, W::all_});
    else accept(W::all_);
    if (function.name == "count" && accept_symbol('*')) {
      count = 1;
      return expect_symbol(')');
    }
  }
  do {
    if (!expression()) return false;
    ++count;
  } while (accept_symbol(','));
  if (function.trait == Trait::builder) {
    if (accept(W::order_)) {
      if (!expect(W::by_) || !order_keys(nullptr)) return false;
      use.ordered = true;
    }
    if (accept(W::separator_)) {
      use.separator = at_;
      if (!string_literal()) return false;
    }
    if (is(W::limit_)) {
      if (!limit(nullptr)) return false;
    }
  }
  return expect_symbol(')');
}

// The calls that have words of their own between the parentheses. At the first argument; ')' is taken.
bool Parser::special_arguments(W called, const Function& function, std::uint32_t& count, FunctionUse& use, bool& handled) {
  handled = true;
  switch (called) {
    case W::cast_:
      if (!expression()) return false;
      if (accept_words({W::at_, W::time_, W::zone_})) {
        accept(W::interval_);
        if (!string_literal()) return false;
      }
      return expect(W::as_) && cast_type() && expect_symbol(')');
    case W::convert_:
      if (!expression()) return false;
      if (accept(W::using_)) return charset_name() && expect_symbol(')');
      return expect_symbol(',') && cast_type() && expect_symbol(')');
    case W::extract_: return (unit() || fail("expected a unit of time")) && expect(W::from_) && expression() && expect_symbol(')');
    case W::timestampadd_:
    case W::timestampdiff_:
      return (unit() || fail("expected a unit of time")) && expect_symbol(',') && expression() && expect_symbol(',') && expression() &&
             expect_symbol(')');
    case W::get_format_:
      return (accept_any({W::date_, W::time_, W::datetime_, W::timestamp_}) || fail("expected a type")) && expect_symbol(',') && expression() &&
             expect_symbol(')');
    case W::position_: return simple_expression() && expect(W::in_) && expression() && expect_symbol(')');
    case W::trim_:
      if (accept_any({W::both_, W::leading_, W::trailing_})) {
        if (accept(W::from_)) return expression() && expect_symbol(')');
        return expression() && expect(W::from_) && expression() && expect_symbol(')');
      }
      if (!expression()) return false;
      if (accept(W::from_) && !expression()) return false;
      return expect_symbol(')');
    case W::substring_: case W::substr_: case W::mid_:
      if (!expression()) return false;
      if (accept(W::from_)) {
        if (!expression()) return false;
        if (accept(W::for_) && !expression()) return false;
        return expect_symbol(')');
      }
      if (!expect_symbol(',') || !expression()) return false;
      if (accept_symbol(',')) {
        if (!expression()) return false;
      } else if (called == W::mid_) {
        return fail("wrong number of arguments");
      }
      return expect_symbol(')');
    case W::char_: case W::chr_:
      if (!expression_list()) return false;
      if (accept(W::using_) && !charset_name()) return false;
      return expect_symbol(')');
    case W::weight_string_:
      if (!expression()) return false;
      if (accept(W::as_)) {
        if (!accept_any({W::char_, W::binary_})) return fail("expected CHAR or BINARY");
        if (!expect_symbol('(') || !expression() || !expect_symbol(')')) return false;
      }
      if (accept(W::level_)) {
        while (!is_symbol(')') && (token().kind == TokenKind::number || is_symbol(',') || is_symbol('-') || is_any({W::asc_, W::desc_, W::reverse_}))) {
          take(Role::keyword);
        }
      }
      while (accept_symbol(',')) {
        if (!expression()) return false;
      }
      return expect_symbol(')');
    case W::json_value_:
      if (!expression() || !expect_symbol(',') || !expression()) return false;
      if (accept(W::returning_) && !cast_type()) return false;
      while (is_any({W::null_, W::error_, W::default_})) {
        if (accept(W::default_)) { if (!operand()) return false; }
        else take(Role::keyword);
        if (!expect(W::on_) || !accept_any({W::empty_, W::error_})) return fail("expected EMPTY or ERROR");
      }
      return expect_symbol(')');
    case W::column_create_: case W::column_add_: case W::column_get_:
      do {
        if (!expression()) return false;
        if (accept(W::as_) && !cast_type()) return false;
      } while (accept_symbol(','));
      return expect_symbol(')');
    case W::values_: case W::value_: case W::default_:  // of a column
      if (called == W::value_ && is_symbol(')')) return fail("expected a column");
      // MariaDB evaluates the column's default, which may be a sequence's next value.
      if (called == W::default_ && dialect_.server.kind != ServerKind::mysql && !writes()) effect(EffectKind::sequence, use.token, "default", true);
      return column_or_function() && expect_symbol(')');
    default: break;
  }
  static_cast<void>(function), static_cast<void>(count), static_cast<void>(use);
  handled = false;
  return true;
}

// A type behind AS: words, lengths and character sets; there is no expression in it.
bool Parser::cast_type() {
  if (token().kind != TokenKind::word) return fail("expected a type");
  if (!is_any({W::binary_, W::char_, W::character_, W::nchar_, W::national_, W::varchar_, W::varbinary_, W::date_, W::datetime_, W::time_, W::timestamp_,
               W::year_, W::decimal_, W::dec_, W::numeric_, W::fixed_, W::double_, W::real_, W::float_, W::signed_, W::unsigned_, W::int_, W::integer_, W::bigint_,
               W::json_, W::interval_, W::inet6_, W::inet4_, W::uuid_, W::point_, W::linestring_, W::polygon_, W::multipoint_, W::multilinestring_,
               W::multipolygon_, W::geometrycollection_, W::geometry_, W::text_, W::longtext_, W::tinyint_, W::smallint_, W::mediumint_, W::blob_,
               W::vector_, W::varchar2_, W::number_, W::bit_, W::bool_, W::boolean_, W::tinytext_,
               W::mediumtext_, W::tinyblob_, W::mediumblob_, W::longblob_})) {
    return fail("not a type");
  }
  bool dated = is(W::date_);
  take(Role::keyword);
  if (accept_any({W::precision_, W::day_second_, W::varying_})) {}
  accept_any({W::integer_, W::int_, W::char_, W::varchar_});
  if (!dated && accept_symbol('(')) {
    do {
      if (token().kind != TokenKind::number && token().kind != TokenKind::placeholder) return fail("expected a length");
      take(Role::keyword);
    } while (accept_symbol(','));
    if (!expect_symbol(')')) return false;
  }
  for (;;) {
    if (accept_words({W::character_, W::set_}) || accept_words({W::char_, W::set_}) || accept(W::charset_) || accept(W::collate_)) {
      if (!charset_name()) return false;
      continue;
    }
    if (accept_any({W::ascii_, W::unicode_, W::byte_, W::binary_, W::unsigned_, W::signed_, W::zerofill_, W::array_})) continue;
    return true;
  }
}

// … OVER …, WITHIN GROUP (…), IGNORE NULLS.
bool Parser::after_call(FunctionUse& use) {
  if (accept_words({W::within_, W::group_})) {
    if (!expect_symbol('(') || !expect(W::order_) || !expect(W::by_) || !order_keys(nullptr) || !expect_symbol(')')) return false;
  }
  if (is(W::from_) && is_any({W::first_, W::last_}, 1) && is_any({W::over_, W::respect_, W::ignore_}, 2)) {
    take(Role::keyword);
    take(Role::keyword);
  }
  if (is_any({W::respect_, W::ignore_}) && is(W::nulls_, 1)) {
    take(Role::keyword);
    take(Role::keyword);
  }
  if (is(W::over_) && (is_symbol('(', 1) || is_name(1))) {
    take(Role::keyword);
    use.windowed = true;
    if (!is_symbol('(')) return name();
    return window_specification();
  }
  if (use.function->trait == Trait::window) return fail("expected OVER");
  return true;
}

bool Parser::window_specification() {
  if (!expect_symbol('(')) return false;
  if (is_name() && !is_any({W::rows_, W::range_, W::groups_, W::partition_})) take(Role::name);
  if (accept(W::partition_)) {
    if (!expect(W::by_) || !expression_list()) return false;
  }
  if (accept(W::order_)) {
    if (!expect(W::by_) || !order_keys(nullptr)) return false;
  }
  if (accept_any({W::rows_, W::range_, W::groups_})) {
    if (accept(W::between_)) {
      if (!frame_bound() || !expect(W::and_) || !frame_bound()) return false;
    } else {
      if (!frame_bound()) return false;
      if (static_cast<W>(tokens_[at_ - 1].word) == W::following_) return fail("a frame can't start behind the row alone");
    }
    if (accept(W::exclude_)) {
      if (!accept_words({W::current_, W::row_}) && !accept(W::group_) && !accept(W::ties_) && !accept_words({W::no_, W::others_})) {
        return fail("expected what to exclude");
      }
    }
  }
  return expect_symbol(')');
}

bool Parser::frame_bound() {
  if (accept_words({W::current_, W::row_})) return true;
  if (!accept(W::unbounded_) && !simple_expression()) return false;
  if (accept_any({W::preceding_, W::following_})) return true;
  return fail("expected PRECEDING or FOLLOWING");
}

}  // namespace darktap::sql
