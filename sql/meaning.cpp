#include "sql/meaning.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "normalize.h"
#include "order.h"
#include "statement.h"
#include "words.h"

namespace darktap::sql {
namespace {

std::string_view source_of(std::string_view text, const Lexed& lexed, TokenRange range) {
  if (range.empty()) return {};
  const Token& last = lexed.tokens[range.end - 1];
  std::uint32_t begin = lexed.tokens[range.begin].offset;
  return text.substr(begin, last.offset + last.length - begin);
}

// Collects the answers of all statements of a text into one Meaning.
class Builder {
 public:
  // Into a fresh Meaning.
  Builder(std::string_view text, const Lexed& lexed, const Dialect& dialect, const Catalogue* catalogue, Meaning& out)
      : text_(text), lexed_(lexed), dialect_(dialect), catalogue_(catalogue), meaning_(out), default_schema_(catalogue == nullptr ? "" : catalogue->default_schema) {
    meaning_.understood = true;
  }

  void add(const Statement& statement) {
    ++meaning_.statements;
    bool forbidden = false;
    if (lexing_moved_) not_understood("read under what a statement in front of it set", statement.begin);
    for (const EffectRef& ref : statement.effects) {
      forbidden = forbidden || ref.forbids;
      add_effect(ref);
      lexing_moved_ = lexing_moved_ || moves_lexing(ref);
      if (ref.kind == EffectKind::default_schema) default_schema_ = name_of(text_, lexed_.tokens[ref.value.begin]);
    }
    for (const TableRef& table : statement.tables) forbidden = add_table(table) || forbidden;
    for (const FunctionUse& use : statement.functions) {
      if (use.varies) add_varying(std::string(use.function->name));
      forbidden = shadowed(use) || forbidden;
    }
    for (std::uint32_t token : statement.varying_variables) add_varying(lower(text_of(text_, lexed_.tokens[token])));
    for (const std::string& name : statement.varying) add_varying(name);

    StatementClass allowed = statement.base;
    meaning_.counts_found_rows = statement.top.sql_calc_found_rows != no_token;
    if (statement.locking && allowed < StatementClass::locking_read) allowed = StatementClass::locking_read;  // SET @a = (SELECT … FOR UPDATE) too
    if (!statement.understood) not_understood(statement.why, statement.why_token);
    if (!meaning_.understood) allowed = StatementClass::unsafe;
    StatementClass actual = forbidden ? StatementClass::unsafe : allowed;
    if (meaning_.verb.empty() || actual > meaning_.statement_class) meaning_.verb = statement.verb_text;
    meaning_.statement_class = std::max(meaning_.statement_class, actual);
    meaning_.class_if_allowed = std::max(meaning_.class_if_allowed, allowed);
    if (meaning_.statements > 1) meaning_.order = {};
    else if (statement.verb == Verb::select) meaning_.order = order_of(text_, lexed_, statement, catalogue_);
  }

  void finish() {
    if (meaning_.why.empty()) {
      for (const Effect& effect : meaning_.effects) {
        if (!effect.forbids) continue;
        set_why(std::string(to_string(effect.kind)) + (effect.subject.empty() ? "" : ": " + effect.subject), effect.offset, effect.length);
        break;
      }
    }
  }

 private:
  void set_why(std::string why, std::uint32_t offset, std::uint32_t length) {
    meaning_.why = std::move(why);
    meaning_.why_offset = offset;
    meaning_.why_length = length;
  }

  void not_understood(std::string_view why, std::uint32_t token) {
    const Token& at = lexed_.tokens[token];
    if (meaning_.why.empty() || meaning_.understood) set_why("not understood: " + std::string(why), at.offset, at.length);
    EffectRef ref;
    ref.kind = EffectKind::not_understood;
    ref.token = token;
    ref.forbids = true;
    add_effect(ref);
    meaning_.understood = false;
  }

  // Would quotes and escapes of the statements behind it be read in another way than they were here?
  bool moves_lexing(const EffectRef& ref) const {
    if (ref.kind != EffectKind::session_state) return false;
    bool mode = ref.subject == "sql_mode";
    if (!mode && ref.subject != "names" && ref.subject != "character set" && ref.subject != "character_set_client") return false;
    if (ref.value.end != ref.value.begin + 1) return true;  // an expression
    const Token& value = lexed_.tokens[ref.value.begin];
    bool word = value.kind == TokenKind::word && static_cast<W>(value.word) != W::default_;
    if (value.kind == TokenKind::number) return !mode || parse_sql_mode(text_of(text_, value)) != dialect_.mode;
    if (value.kind != TokenKind::string && !word) return true;
    std::string name = word ? std::string(text_of(text_, value)) : string_value(text_, value, dialect_);
    return mode ? parse_sql_mode(name) != dialect_.mode : charset_of(name) != dialect_.charset;
  }

  void add_effect(const EffectRef& ref) {
    Effect effect;
    effect.kind = ref.kind;
    effect.subject = ref.subject;
    effect.value = source_of(text_, lexed_, ref.value);
    effect.offset = lexed_.tokens[ref.token].offset;
    effect.length = lexed_.tokens[ref.token].length;
    effect.forbids = ref.forbids;
    meaning_.effects.push_back(std::move(effect));
  }

  // Built in on the server that was captured; on the one that will be asked a stored function may have that name, made so that
  // the application's statements go on working there.
  bool shadowed(const FunctionUse& use) {
    if (catalogue_ == nullptr || catalogue_->routines.empty()) return false;
    if (!catalogue_->routines.contains({default_schema_, std::string(use.function->name)})) return false;
    EffectRef effect;
    effect.kind = EffectKind::stored_routine;
    effect.token = use.token;
    effect.subject = use.function->name;
    effect.forbids = true;
    add_effect(effect);
    return true;
  }

  // True where reading the table may do more than that.
  bool add_table(const TableRef& ref) {
    if (ref.derived) return false;
    TableName name;
    if (ref.schema != no_token) name.schema = name_of(text_, lexed_.tokens[ref.schema]);
    name.name = name_of(text_, lexed_.tokens[ref.name]);
    bool forbids = false;
    auto hides = [&](EffectKind kind, const std::string& subject) {
      EffectRef effect;
      effect.kind = kind;
      effect.token = ref.name;
      effect.subject = subject;
      effect.forbids = forbids = true;
      add_effect(effect);
    };
    const std::string& schema = !name.schema.empty() ? name.schema : default_schema_;
    if (const View* view = catalogue_ == nullptr ? nullptr : catalogue_->view(schema, name.name)) {
      for (const std::string& routine : view->routines) hides(EffectKind::stored_routine, routine);
      for (const HiddenEffect& effect : view->effects) hides(effect.kind, effect.subject);
    }
    // The servers' own views of the sys schema call its stored functions; no catalogue holds them.
    if (schema.size() == 3 && lower(schema) == "sys" && lower(name.name) != "sys_config") hides(EffectKind::stored_routine, "sys." + name.name);
    if (ref.written) {
      if (ref.read) add_once(meaning_.tables_read, read_, name);
      add_once(meaning_.tables_written, written_, std::move(name));
    } else if (ref.read) {
      add_once(meaning_.tables_read, read_, std::move(name));
    }
    return forbids;
  }

  // In order of appearance, each once; the set is only filled where there are many.
  template <class Name>
  static void add_once(std::vector<Name>& list, std::set<Name>& seen, Name name) {
    constexpr std::size_t few = 16;
    if (list.size() < few) {
      if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(std::move(name));
      return;
    }
    if (seen.empty()) seen.insert(list.begin(), list.end());
    if (seen.insert(name).second) list.push_back(std::move(name));
  }

  void add_varying(std::string name) { add_once(meaning_.nondeterministic, varying_, std::move(name)); }

  std::string_view text_;
  const Lexed& lexed_;
  const Dialect& dialect_;
  const Catalogue* catalogue_;
  Meaning& meaning_;
  std::string default_schema_;  // where it is known: the catalogue's, or what a USE in front set
  bool lexing_moved_ = false;
  std::set<TableName> read_, written_;
  std::set<std::string> varying_;
};

Meaning understand_lexed(std::string_view text, const Lexed& lexed, const Dialect& dialect, const Catalogue* catalogue, const FingerprintRules& rules,
                         Scratch& scratch) {
  Parsed& parsed = scratch.parsed;
  parse(text, lexed, dialect, Detail::meaning, parsed);
  Meaning meaning;
  meaning.catalogued = catalogue != nullptr;
  meaning.mode = dialect.mode;
  Builder builder(text, lexed, dialect, catalogue, meaning);
  for (const Statement& statement : parsed.statements) builder.add(statement);
  builder.finish();
  meaning.parameters = lexed.parameters;
  if (text.find('@') != std::string_view::npos) {
    std::set<std::string> names;
    for (const Token& token : lexed.tokens)
      if (token.kind == TokenKind::user_variable) names.insert(user_variable_name(text_of(text, token)));
    meaning.user_variables.assign(names.begin(), names.end());
  }
  meaning.normalized = normalize(text, lexed, parsed, rules, scratch.normalized);
  meaning.fingerprint = hash_of_normalized(meaning.normalized);
  return meaning;
}

void refuse(Meaning& meaning, std::string why, std::uint32_t offset) {
  meaning.understood = false;
  meaning.statement_class = meaning.class_if_allowed = StatementClass::unsafe;
  meaning.why = std::move(why);
  meaning.why_offset = offset;
  meaning.why_length = 1;
  Effect effect;
  effect.kind = EffectKind::not_understood;
  effect.offset = offset;
  effect.forbids = true;
  meaning.effects.push_back(std::move(effect));
  meaning.order = {};
}

}  // namespace

Meaning understand(std::string_view text, const Dialect& dialect, const Catalogue* catalogue, const FingerprintRules& rules) {
  thread_local Scratch scratch;
  Lexed& lexed = scratch.lexed;
  lex(text, dialect, UnknownVersion::executed, lexed);
  Meaning meaning = understand_lexed(text, lexed, dialect, catalogue, rules, scratch);
  if (!lexed.clean && meaning.understood && meaning.statement_class < StatementClass::ddl) {
    // A definition's unread tail may hold anything; elsewhere a broken token must not be passed over.
    for (const Token& token : lexed.tokens) {
      if (token.kind == TokenKind::invalid) {
        refuse(meaning, "not understood: bytes that no server would take", token.offset);
        break;
      }
    }
  }
  if (lexed.undecided > 0 && meaning.statement_class != StatementClass::unsafe) {
    // The text means one thing or the other, and the version that tells is not known: the worse of both readings counts.
    Lexed without = lex(text, dialect, UnknownVersion::skipped);
    Meaning other = understand_lexed(text, without, dialect, catalogue, rules, scratch);
    bool same = without.clean && other.understood && other.statement_class == meaning.statement_class && lexed.undecided == 1;
    bool only_comment = lexed.undecided == 1 && without.clean && other.statements == 0;
    if (!same && !only_comment) refuse(meaning, "depends on the server's version, which is not known", 0);
  }
  scratch.shrink();
  return meaning;
}

StatementClass class_allowing(const Meaning& meaning, const std::vector<std::string>& allowed) {
  if (meaning.statement_class != StatementClass::unsafe) return meaning.statement_class;
  auto names = [&](std::string_view wanted) {
    return !wanted.empty() && std::any_of(allowed.begin(), allowed.end(), [&](const std::string& name) { return lower(name) == lower(wanted); });
  };
  for (const Effect& effect : meaning.effects) {
    if (effect.forbids && (effect.kind == EffectKind::not_understood || (!names(to_string(effect.kind)) && !names(effect.subject)))) {
      return StatementClass::unsafe;
    }
  }
  return meaning.class_if_allowed;
}

}  // namespace darktap::sql
