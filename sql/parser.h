// Recursive descent over the tokens of a text: the grammar of queries and writes in full, the others as far as their
// class needs. One pass, no backtracking; the first token that fits nothing ends the statement as not understood.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "statement.h"
#include "words.h"

namespace darktap::sql {

class Parser {
 public:
  // `out` is a fresh one.
  Parser(std::string_view text, const Lexed& lexed, const Dialect& dialect, std::vector<Role>& roles, Statement& out, Detail detail)
      : text_(text), tokens_(lexed.tokens), dialect_(dialect), roles_(roles), out_(out), shaped_(detail == Detail::shape) {}

  // Parses the statement at the given token; behind it stands ';' or the end.
  void statement(std::uint32_t at);

 private:
  enum class Capture : std::uint8_t { no, top };

  // Tokens (parser.cpp).
  const Token& token(std::uint32_t ahead = 0) const {
    if (ahead == 0) return tokens_.data()[at_];
    std::size_t i = at_ + ahead;
    return tokens_.data()[i < tokens_.size() ? i : tokens_.size() - 1];
  }
  W word(std::uint32_t ahead = 0) const { return static_cast<W>(token(ahead).word); }  // W::none for all but words
  bool is(W wanted, std::uint32_t ahead = 0) const { return word(ahead) == wanted; }
  [[gnu::always_inline]] bool is_any(std::initializer_list<W> wanted, std::uint32_t ahead = 0) const {
    W found = word(ahead);
    if (found == W::none) return false;
    for (W one : wanted) {
      if (found == one) return true;
    }
    return false;
  }
  bool is_symbol(std::uint32_t code, std::uint32_t ahead = 0) const {
    return token(ahead).kind == TokenKind::symbol && token(ahead).symbol == code;
  }
  bool at_end() const { return token().kind == TokenKind::end || is_symbol(';'); }
  std::string_view text(std::uint32_t index) const { return text_of(text_, tokens_[index]); }
  std::string lower_text(std::uint32_t index) const;
  // Stays at the end of the text, so that at_ is always a token's index.
  void take(Role role) {
    if (at_ + 1 < tokens_.size()) roles_.data()[at_++] = role;
  }
  bool accept(W wanted) {
    if (!is(wanted)) return false;
    take(Role::keyword);
    return true;
  }
  [[gnu::always_inline]] bool accept_any(std::initializer_list<W> wanted) {
    if (!is_any(wanted)) return false;
    take(Role::keyword);
    return true;
  }
  bool accept_symbol(std::uint32_t code) {
    if (!is_symbol(code)) return false;
    take(Role::keyword);
    return true;
  }
  bool accept_words(std::initializer_list<W> sequence);  // all of them or none
  bool expect(W wanted);
  bool expect_symbol(std::uint32_t code);
  [[gnu::cold]] bool fail(std::string_view why);
  bool is_name(std::uint32_t ahead = 0) const;  // an identifier may stand here
  bool name(Role role = Role::name);
  bool string_literal();
  bool charset_name();  // or a collation's: a name, a string, BINARY, DEFAULT
  bool writes() const { return out_.verb == Verb::insert || out_.verb == Verb::replace || out_.verb == Verb::update || out_.verb == Verb::remove; }
  void effect(EffectKind kind, std::uint32_t token, std::string_view subject, bool forbids, TokenRange value = {});

  struct Nest {
    explicit Nest(Parser& owner) : parser(owner) { ++parser.nesting_; }
    ~Nest() { --parser.nesting_; }
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;
    bool too_deep() const { return parser.nesting_ > max_nesting; }
    Parser& parser;
  };

  // Expressions (parse_expression.cpp).
  bool expression();
  bool expression_rest();   // behind the first operand
  bool simple_expression(); // arithmetic only: the bounds of BETWEEN, window frames
  bool operand();
  bool prefixes_and_operand();
  bool postfixes();
  enum class Step : std::uint8_t { another_operand, done, failed };
  Step binary_operator();
  bool quantified_comparison();
  bool arithmetic_operator();
  bool word_operand();
  bool parenthesized(bool& is_query);
  bool in_list();
  bool case_expression();
  bool interval_expression();
  bool match_against();
  bool column_or_function();
  bool expression_list();
  bool subquery();  // behind '(', up to and with ')'
  bool starts_query(std::uint32_t ahead = 0) const;

  // Calls (parse_function.cpp).
  bool function_call();
  bool arguments(const Function& function, std::uint32_t& count, FunctionUse& use);
  bool special_arguments(W called, const Function& function, std::uint32_t& count, FunctionUse& use, bool& handled);
  bool cast_type();
  bool after_call(FunctionUse& use);
  bool window_specification();
  bool frame_bound();
  void note_function(FunctionUse use, std::uint32_t count);
  void note_effect(const Function& function, std::uint32_t token, bool with_arguments);
  bool no_parenthesis_function();
  bool unit();

  // Queries (parse_query.cpp).
  bool query(Capture capture);  // [WITH] body tail
  bool query_rest(Capture capture);  // the body's set operations and the tail, behind its first part
  bool query_primary(Capture capture, bool& parenthesized_part);
  bool with_clause();
  bool select_block(Capture capture);
  bool select_item(Block* block);
  bool alias(std::uint32_t& where);
  bool values_block();
  bool tail(Block* block);
  bool order_keys(std::vector<KeyRef>* keys);
  bool limit(Block* block);
  bool locking();
  bool into();

  // Tables (parse_from.cpp).
  bool table_references();
  bool table_reference();
  bool table_factor();
  bool join_keyword(bool& outer, bool& natural, bool& straight);
  bool table_name(TableRef& ref);
  bool table_alias(TableRef& ref, bool required);
  bool index_hints();
  bool system_time();
  bool json_table();
  bool json_columns();
  bool name_list();  // '(' names ')'
  void add_table(TableRef ref);
  bool is_cte(const TableRef& ref) const;

  // Writes (parse_write.cpp).
  bool insert_or_replace();
  bool update();
  bool remove();
  bool assignments(std::vector<AssignmentRef>* into);
  bool value_row(std::vector<TokenRange>* into);
  bool value_or_default(TokenRange& range);
  bool returning();
  bool write_tail(Block& block);  // WHERE, ORDER BY, LIMIT

  // The others (parse_session.cpp, parse_admin.cpp).
  bool dispatch();
  bool set_statement();
  bool set_variable();
  bool set_value(TokenRange& value);
  bool set_transaction();
  bool transaction_statement();
  bool show();
  bool describe_or_explain();
  bool prepared(std::string_view what);
  bool ddl();
  bool forbidden(EffectKind kind, std::string_view subject, StatementClass base);  // the rest is passed over
  bool load();
  void skip_rest();
  bool finish(StatementClass base);  // the end must be here

  std::string_view text_;
  std::span<const Token> tokens_;
  const Dialect& dialect_;
  std::vector<Role>& roles_;
  std::uint32_t at_ = 0;
  int nesting_ = 0;
  std::size_t factor_scan_ = 0;  // tokens looked at ahead in FROM; bounded, so that parsing stays linear
  int block_ = -1;      // nesting of query blocks; 0 in the top-level one
  bool in_from_ = false; // directly in a FROM of the top-level block
  bool failed_ = false;
  std::vector<std::string> ctes_;  // in scope, lower case, the innermost last
  std::unordered_map<std::string, int> cte_count_;
  Statement& out_;
  bool shaped_;  // rows and columns of writes are wanted too
};

}  // namespace darktap::sql
