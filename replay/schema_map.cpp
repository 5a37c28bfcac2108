#include "replay/schema_map.h"

#include <algorithm>
#include <charconv>
#include <array>
#include <cctype>
#include <set>

#include "sql/lexer.h"
#include "sql/rewrite.h"

namespace darktap::replay {
namespace {

using sql::Token;
using sql::TokenKind;

// Does a name fit a pattern in which # stands for one or more digits?
bool fits(std::string_view pattern, std::string_view name) {
  while (!pattern.empty() && pattern.front() != '#') {
    if (name.empty() || name.front() != pattern.front()) return false;
    pattern.remove_prefix(1);
    name.remove_prefix(1);
  }
  if (pattern.empty()) return name.empty();
  auto digits = static_cast<std::size_t>(std::find_if(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) == 0; }) - name.begin());
  for (; digits > 0; --digits)
    if (fits(pattern.substr(1), name.substr(digits))) return true;
  return false;
}

bool is_name(const Token& token) { return token.kind == TokenKind::word || token.kind == TokenKind::quoted_name; }
bool is_symbol(const Token& token, std::string_view characters) { return token.kind == TokenKind::symbol && token.symbol == sql::symbol_code(characters); }

bool shows_tables(std::string_view normalized) {
  constexpr std::array<std::string_view, 5> beginnings{"show tables", "show full tables", "show extended", "show table status", "show open tables"};
  return std::any_of(beginnings.begin(), beginnings.end(), [&](std::string_view each) { return normalized.starts_with(each); });
}

bool is_word(std::string_view text, const Token& token, std::initializer_list<std::string_view> words) {
  if (token.kind != TokenKind::word) return false;
  std::string_view spelled = sql::text_of(text, token);
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return std::equal(word.begin(), word.end(), spelled.begin(), spelled.end(), [](char a, char b) { return a == (b | 0x20); });
  });
}

// Text with some of its tokens replaced, in order.
class Edits {
 public:
  explicit Edits(std::string_view text) : text_(text) {}
  void replace(const Token& token, const std::string& by) {
    out_ += text_.substr(done_, token.offset - done_);
    out_ += by;
    done_ = token.offset + token.length;
  }
  std::string take() { return out_ + std::string(text_.substr(done_)); }

 private:
  std::string_view text_;
  std::string out_;
  std::size_t done_ = 0;
};

mysql::Command with_text(const mysql::Command& command, std::string text) {
  mysql::Command changed = command;
  changed.text = std::move(text);
  return changed;
}

}  // namespace

Expected<MapRule, std::string> parse_map_rule(const std::string& text) {
  auto refuse = [&] { return Unexpected("--map " + text + ": expected [HOST:PORT/]SCHEMA=SCHEMA or [HOST:PORT/]SCHEMA.TABLE=SCHEMA.TABLE, where # on the left stands for a number"); };
  auto equals = text.find('=');
  if (equals == std::string::npos || text.find('=', equals + 1) != std::string::npos) return refuse();
  MapRule rule;
  std::string from = text.substr(0, equals), to = text.substr(equals + 1);
  if (auto slash = from.rfind('/'); slash != std::string::npos) {
    rule.server = from.substr(0, slash);
    from.erase(0, slash + 1);
    auto colon = rule.server.rfind(':');
    if (colon == std::string::npos || colon == 0) return refuse();
    const char* end = rule.server.data() + rule.server.size();
    std::uint16_t port = 0;
    auto [parsed, error] = std::from_chars(rule.server.data() + colon + 1, end, port);
    if (error != std::errc{} || parsed != end || port == 0) return refuse();
  }
  auto split = [](const std::string& name, std::string& schema, std::string& table) {
    auto dot = name.find('.');
    schema = name.substr(0, dot);
    if (dot != std::string::npos) table = name.substr(dot + 1);
    return !schema.empty() && (dot == std::string::npos || (!table.empty() && table.find('.') == std::string::npos));
  };
  if (!split(from, rule.schema, rule.table) || !split(to, rule.to_schema, rule.to_table)) return refuse();
  if (rule.table.empty() != rule.to_table.empty() || to.find('#') != std::string::npos) return refuse();
  return rule;
}

SchemaMap::SchemaMap(std::vector<MapRule> rules) : rules_(std::move(rules)) {
  std::stable_partition(rules_.begin(), rules_.end(), [](const MapRule& rule) { return !rule.server.empty(); });
}

bool SchemaMap::is_copy(const std::string& schema) const {
  return std::any_of(copies_.begin(), copies_.end(), [&](const auto& entry) { return entry.second == schema; });
}

std::string SchemaMap::schema(std::string_view server, const std::string& captured) const {
  std::string name = captured;
  auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const MapRule& each) {
    return each.table.empty() && (each.server.empty() || each.server == server) && fits(each.schema, captured);
  });
  if (rule != rules_.end()) name = rule->to_schema;
  auto copy = copies_.find(name);
  return copy == copies_.end() ? name : copy->second;
}

sql::QualifiedName SchemaMap::table(std::string_view server, const sql::QualifiedName& captured) const {
  auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const MapRule& each) {
    return !each.table.empty() && (each.server.empty() || each.server == server) && fits(each.schema, captured.first) && fits(each.table, captured.second);
  });
  if (rule == rules_.end()) return {schema(server, captured.first), captured.second};
  auto copy = copies_.find(rule->to_schema);
  return {copy == copies_.end() ? rule->to_schema : copy->second, rule->to_table};
}

Expected<std::string, std::string> SchemaMap::rewrite(std::string_view server, const std::string& schema, std::string_view text, const sql::Meaning& meaning,
                                                      const sql::Dialect& dialect) const {
  sql::Lexed lexed = sql::lex(text, dialect);
  if (!lexed.clean) return Unexpected(std::string("not_mappable: its text"));
  std::set<sql::TableName> tables(meaning.tables_read.begin(), meaning.tables_read.end());
  tables.insert(meaning.tables_written.begin(), meaning.tables_written.end());
  const std::string default_there = this->schema(server, schema);
  const bool is_moved = default_there != schema;
  const bool shows = meaning.verb.starts_with("show");
  // The header of SHOW TABLES names the schema, and a copy has a table of ours besides.
  const bool lists_tables = shows && shows_tables(meaning.normalized);
  bool names_schema = false;
  const std::vector<Token>& tokens = lexed.tokens;
  Edits edits(text);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (!is_name(token)) continue;
    const Token end;
    const Token& before = i > 0 ? tokens[i - 1] : end;
    const Token& after = i + 1 < tokens.size() ? tokens[i + 1] : end;
    if (is_symbol(before, ".")) continue;
    if (is_moved && is_symbol(after, "(") && is_word(text, token, {"database", "schema"})) return Unexpected(std::string("names_its_schema"));
    const std::string name = sql::name_of(text, token);
    if (is_symbol(after, ".") && i + 2 < tokens.size() && is_name(tokens[i + 2])) {
      sql::TableName qualified{name, sql::name_of(text, tokens[i + 2])};
      if (tables.contains(qualified)) {
        sql::QualifiedName there = table(server, {qualified.schema, qualified.name});
        if (there.first != qualified.schema) edits.replace(token, sql::quote_name(there.first));
        if (there.second != qualified.name) edits.replace(tokens[i + 2], sql::quote_name(there.second));
        continue;
      }
    }
    names_schema = names_schema || (shows && is_word(text, before, {"from", "in"}));
    if (lists_tables && is_word(text, before, {"from", "in"}) && this->schema(server, name) != name) return Unexpected(std::string("names_its_schema"));
    if (shows && is_word(text, before, {"from", "in"}) && this->schema(server, name) != name && !tables.contains({"", name})) {
      edits.replace(token, sql::quote_name(this->schema(server, name)));
      continue;
    }
    if (is_symbol(after, ".")) {  // a column's table: it follows that one's own name
      std::optional<std::string> renamed;
      for (const sql::TableName& each : tables) {
        if (each.name != name) continue;
        sql::QualifiedName there = table(server, {each.schema.empty() ? schema : each.schema, name});
        if (renamed && *renamed != there.second) return Unexpected("not_mappable: " + name);
        renamed = there.second;
      }
      if (renamed && *renamed != name) edits.replace(token, sql::quote_name(*renamed));
      continue;
    }
    if (!tables.contains({"", name})) continue;
    sql::QualifiedName there = table(server, {schema, name});
    if (there.second == name && there.first == default_there) continue;
    if (is_word(text, before, {"from", "join", "into", "update", "table", "delete", "ignore", "low_priority", "describe", "desc"})) {
      edits.replace(token, there.first == default_there ? sql::quote_name(there.second) : sql::quote_name(there.first) + "." + sql::quote_name(there.second));
    } else if (is_symbol(before, ",") || is_symbol(before, "(") || is_word(text, before, {"select", "replace", "insert"})) {
      return Unexpected("not_mappable: " + name);  // a table, or a column of the same name
    }
  }
  if (lists_tables && is_moved && !names_schema) return Unexpected(std::string("names_its_schema"));
  return edits.take();
}

Expected<Sent, std::string> SchemaMap::apply(std::string_view server, const std::string& schema, const mysql::Command& command, const sql::Meaning& meaning,
                                             const sql::Dialect& dialect) const {
  using Code = mysql::CommandCode;
  Sent sent;
  if (!schema.empty()) {
    std::string there = this->schema(server, schema);
    if (there != schema) sent.schema = there;
  }
  if (command.code == Code::init_db) {
    std::string there = this->schema(server, command.text);
    if (there != command.text) sent.command = with_text(command, there);
    return sent;
  }
  bool has_text = command.code == Code::query || command.code == Code::stmt_prepare || command.code == Code::stmt_execute || command.code == Code::stmt_bulk_execute;
  if (!has_text || command.text_state != mysql::Command::Text::known) return sent;
  for (const sql::Effect& effect : meaning.effects) {
    if (effect.kind != sql::EffectKind::default_schema) continue;
    if (meaning.statements != 1) return Unexpected(std::string("not_mappable: USE"));
    std::string there = this->schema(server, effect.value);
    if (there != effect.value) sent.command = with_text(command, "USE " + sql::quote_name(there));
    return sent;
  }
  auto text = rewrite(server, schema, command.text, meaning, dialect);
  if (!text) return Unexpected(text.error());
  if (*text != command.text) sent.command = with_text(command, std::move(*text));
  return sent;
}

}  // namespace darktap::replay
