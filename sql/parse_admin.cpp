// Which statement it is, by its first words; SHOW, EXPLAIN, definitions, and everything that is refused by its head alone.
#include "parser.h"

namespace darktap::sql {

// A head that forbids by itself: what follows does not matter and is passed over.
bool Parser::forbidden(EffectKind kind, std::string_view subject, StatementClass base) {
  out_.verb = Verb::other;
  if (out_.verb_text.empty()) out_.verb_text = subject;
  effect(kind, at_, subject, true);
  take(Role::keyword);
  skip_rest();
  out_.base = base;
  return true;
}

// LOAD DATA, LOAD XML: never sent; which table it fills is read all the same.
bool Parser::load() {
  out_.verb = Verb::other;
  out_.verb_text = "load";
  effect(EffectKind::file, at_, "load", true);
  take(Role::keyword);
  while (!at_end() && !(is(W::into_) && is(W::table_, 1))) ++at_;
  if (!at_end()) at_ += 2;
  TableRef ref;
  if (is_name() && table_name(ref)) {
    ref.written = true;
    add_table(ref);
  }
  skip_rest();
  out_.base = StatementClass::write;
  return true;
}

bool Parser::dispatch() {
  if (is_symbol('(')) {
    out_.verb = Verb::select;
    out_.verb_text = "select";
    return query(Capture::top) && finish(StatementClass::read);
  }
  switch (word()) {
    case W::select_: case W::values_: case W::table_:
      out_.verb = Verb::select;
      out_.verb_text = spelling(word());
      return query(Capture::top) && finish(StatementClass::read);
    case W::with_: {
      // What the CTEs lead to decides; they are in scope there.
      out_.verb = Verb::select;
      out_.verb_text = "select";
      ++block_;
      if (!with_clause()) return false;
      --block_;
      if (is(W::update_)) return update();
      if (is(W::delete_)) return remove();
      if (is_any({W::insert_, W::replace_})) return insert_or_replace();
      return query(Capture::top) && finish(StatementClass::read);
    }
    case W::insert_: case W::replace_: return insert_or_replace();
    case W::update_: return update();
    case W::delete_: return remove();
    case W::set_: return set_statement();
    case W::begin_:
      if (is(W::not_, 1)) break;  // BEGIN NOT ATOMIC: a program
      return transaction_statement();
    case W::start_:
      if (!is(W::transaction_, 1)) return forbidden(EffectKind::replication, "start", StatementClass::unsafe);
      return transaction_statement();
    case W::commit_: case W::rollback_: case W::savepoint_: case W::release_: case W::xa_: return transaction_statement();
    case W::use_: {
      std::uint32_t where = at_;
      out_.verb = Verb::other;
      out_.verb_text = "use";
      take(Role::keyword);
      std::uint32_t schema = at_;
      if (!name()) return false;
      effect(EffectKind::default_schema, where, "use", false, {schema, at_});
      return finish(StatementClass::session);
    }
    case W::show_: return show();
    case W::describe_: case W::desc_: case W::explain_: return describe_or_explain();
    case W::analyze_:
      if (is_any({W::table_, W::tables_, W::no_write_to_binlog_, W::local_}, 1)) return forbidden(EffectKind::table_maintenance, "analyze table", StatementClass::write);
      return describe_or_explain();  // MariaDB: ANALYZE [FORMAT=JSON] statement
    case W::help_:
      out_.verb = Verb::other;
      out_.verb_text = "help";
      take(Role::keyword);
      if (token().kind == TokenKind::string) take(Role::keyword);
      else if (!name()) return false;
      return finish(StatementClass::read);
    case W::do_: {
      out_.verb = Verb::other;
      out_.verb_text = "do";
      take(Role::keyword);
      return expression_list() && finish(StatementClass::read);
    }
    case W::drop_:
      if (is(W::prepare_, 1)) return prepared("deallocate");
      return ddl();
    case W::create_: case W::alter_: case W::truncate_: case W::rename_: return ddl();
    case W::call_: return forbidden(EffectKind::stored_routine, "call", StatementClass::write);
    case W::load_: return load();
    case W::import_: return forbidden(EffectKind::file, "import", StatementClass::write);
    case W::handler_: return forbidden(EffectKind::handler, "handler", StatementClass::locking_read);
    case W::lock_: return forbidden(EffectKind::table_lock, "lock", StatementClass::locking_read);
    case W::unlock_: return forbidden(EffectKind::table_lock, "unlock", StatementClass::session);
    case W::prepare_: return prepared("prepare");
    case W::execute_: return prepared("execute");
    case W::deallocate_: return prepared("deallocate");
    case W::grant_: return forbidden(EffectKind::account, "grant", StatementClass::ddl);
    case W::revoke_: return forbidden(EffectKind::account, "revoke", StatementClass::ddl);
    case W::flush_: return forbidden(EffectKind::flush, "flush", StatementClass::unsafe);
    case W::reset_: return forbidden(EffectKind::flush, "reset", StatementClass::unsafe);
    case W::cache_: return forbidden(EffectKind::flush, "cache index", StatementClass::unsafe);
    case W::kill_: return forbidden(EffectKind::kill, "kill", StatementClass::unsafe);
    case W::shutdown_: return forbidden(EffectKind::server_control, "shutdown", StatementClass::unsafe);
    case W::restart_: return forbidden(EffectKind::server_control, "restart", StatementClass::unsafe);
    case W::install_: return forbidden(EffectKind::server_control, "install", StatementClass::unsafe);
    case W::uninstall_: return forbidden(EffectKind::server_control, "uninstall", StatementClass::unsafe);
    case W::clone_: return forbidden(EffectKind::server_control, "clone", StatementClass::unsafe);
    case W::backup_: return forbidden(EffectKind::server_control, "backup", StatementClass::unsafe);
    case W::change_: return forbidden(EffectKind::replication, "change", StatementClass::unsafe);
    case W::stop_: return forbidden(EffectKind::replication, "stop", StatementClass::unsafe);
    case W::purge_: return forbidden(EffectKind::replication, "purge", StatementClass::unsafe);
    case W::binlog_: return forbidden(EffectKind::replication, "binlog", StatementClass::unsafe);
    case W::optimize_: return forbidden(EffectKind::table_maintenance, "optimize table", StatementClass::write);
    case W::repair_: return forbidden(EffectKind::table_maintenance, "repair table", StatementClass::write);
    case W::check_: return forbidden(EffectKind::table_maintenance, "check table", StatementClass::write);
    case W::checksum_: return forbidden(EffectKind::table_maintenance, "checksum table", StatementClass::read);
    case W::signal_: return forbidden(EffectKind::diagnostics, "signal", StatementClass::unsafe);
    case W::resignal_: return forbidden(EffectKind::diagnostics, "resignal", StatementClass::unsafe);
    case W::get_: return forbidden(EffectKind::diagnostics, "get diagnostics", StatementClass::session);
    default: break;
  }
  out_.verb = Verb::other;
  return fail("not a statement that is known");
}

bool Parser::prepared(std::string_view what) { return forbidden(EffectKind::prepared_statement, what, StatementClass::unsafe); }

// CREATE, ALTER, DROP, TRUNCATE, RENAME: never sent, so that only the object's kind and the tables' names are read.
bool Parser::ddl() {
  out_.verb = Verb::other;
  out_.verb_text = lower_text(at_);
  std::uint32_t where = at_;
  bool renames = is(W::rename_), creates = is(W::create_), truncates = is(W::truncate_);
  take(Role::keyword);
  W object = W::none;
  while (!at_end() && token().kind == TokenKind::word) {
    if (is_any({W::table_, W::tables_, W::view_, W::index_, W::user_, W::role_, W::database_, W::schema_, W::procedure_, W::function_, W::trigger_, W::event_,
                W::server_, W::tablespace_, W::logfile_, W::sequence_, W::package_, W::instance_, W::undo_, W::resource_})) {
      object = word();
      take(Role::keyword);
      break;
    }
    if (is_any({W::temporary_, W::or_, W::replace_, W::unique_, W::fulltext_, W::spatial_, W::vector_, W::online_, W::offline_, W::ignore_, W::algorithm_,
                W::definer_, W::sql_, W::security_, W::invoker_, W::aggregate_, W::undefined_, W::merge_, W::temptable_, W::current_user_})) {
      take(Role::keyword);
      if (is_symbol('=')) take(Role::keyword);
      continue;
    }
    if (tokens_[at_ - 1].kind == TokenKind::symbol && tokens_[at_ - 1].symbol == '=') {  // DEFINER = name
      take(Role::name);
      continue;
    }
    break;
  }
  while (object == W::none && creates && !at_end() && (token().kind == TokenKind::string || token().kind == TokenKind::quoted_name ||
                                                       token().kind == TokenKind::user_variable || is_symbol('='))) {
    ++at_;  // DEFINER = 'user'@'host' …: the object stands behind it
    while (token().kind == TokenKind::word && !at_end()) {
      bool known = is_any({W::view_, W::procedure_, W::function_, W::trigger_, W::event_});
      if (known) object = word();
      take(Role::keyword);
      if (known) break;
    }
  }
  if (object != W::none) out_.verb_text += " " + std::string(spelling(object));
  bool account = object == W::user_ || object == W::role_;
  effect(account ? EffectKind::account : EffectKind::schema_change, where, out_.verb_text, false);
  out_.base = StatementClass::ddl;
  bool program = object == W::procedure_ || object == W::function_ || object == W::trigger_ || object == W::event_ || object == W::package_;
  if (program && !out_.verb_text.starts_with("drop")) {
    while (token().kind != TokenKind::end) ++at_;  // its body may hold ';'
    return true;
  }
  accept_words({W::if_, W::not_, W::exists_});
  accept_words({W::if_, W::exists_});
  if (object == W::table_ || object == W::tables_ || object == W::view_ || object == W::sequence_ || truncates) {
    do {
      TableRef ref;
      if (!is_name()) break;
      if (!table_name(ref)) break;
      ref.written = true;
      add_table(ref);
      if (renames) {
        accept(W::wait_);
        if (!accept(W::to_)) break;
        TableRef to;
        if (!table_name(to)) break;
        to.written = true;
        add_table(to);
      }
    } while ((renames || out_.verb_text.starts_with("drop") || truncates) && accept_symbol(','));
    if (creates && object == W::table_ && is(W::like_)) {
      take(Role::keyword);
      TableRef ref;
      ref.read = true;
      if (table_name(ref)) add_table(ref);
    }
  } else if (object == W::index_) {
    while (!at_end() && !is(W::on_)) ++at_;
    if (accept(W::on_)) {
      TableRef ref;
      ref.written = true;
      if (table_name(ref)) add_table(ref);
    }
  }
  skip_rest();
  failed_ = false;  // whatever its rest is, it is a definition and is not sent
  out_.why.clear();
  return true;
}

bool Parser::describe_or_explain() {
  std::uint32_t where = at_;
  bool analyze = is(W::analyze_);
  out_.verb = Verb::other;
  out_.verb_text = "explain";
  take(Role::keyword);
  for (;;) {
    if (accept_any({W::extended_, W::partitions_})) continue;
    if (is(W::analyze_)) {
      take(Role::keyword);
      analyze = true;
      continue;
    }
    if (is(W::format_) && is_symbol('=', 1)) {
      take(Role::keyword);
      take(Role::keyword);
      if (token().kind == TokenKind::string) take(Role::keyword);
      else if (!name(Role::keyword)) return false;
      continue;
    }
    if (is(W::into_)) {
      if (!into()) return false;
      continue;
    }
    break;
  }
  if (accept_words({W::for_, W::connection_})) {
    if (token().kind != TokenKind::number && token().kind != TokenKind::user_variable) return fail("expected a connection");
    take(Role::keyword);
    out_.varying.push_back("explain for connection");
    return finish(StatementClass::read);
  }
  if (accept(W::for_)) {
    if (!accept_any({W::schema_, W::database_})) return fail("expected SCHEMA");
    if (!name()) return false;
  }
  if (is_any({W::select_, W::with_, W::insert_, W::replace_, W::update_, W::delete_, W::table_, W::values_}) || is_symbol('(')) {
    if (!dispatch()) return false;
    out_.verb = Verb::other;
    out_.verb_text = "explain";
    out_.varying.push_back("explain");  // estimates, or what was measured
    if (analyze) return true;           // it runs the statement
    // Not run, but MariaDB plans a write or FOR UPDATE only where it may write: a read-only transaction refuses it. So a
    // locking read stays one.
    bool plans_write = out_.base == StatementClass::write;
    out_.base = StatementClass::read;
    std::erase_if(out_.effects, [](const EffectRef& found) { return found.kind == EffectKind::write; });
    if (plans_write) effect(EffectKind::write, where, "explain", true);
    for (TableRef& table : out_.tables) {
      if (table.written) table.written = false, table.read = true;
    }
    out_.top = {};
    return true;
  }
  if (analyze) return fail("expected a statement");
  // DESCRIBE table [column | 'pattern']
  out_.verb_text = "describe";
  TableRef ref;
  if (!table_name(ref)) return false;
  ref.read = true;
  add_table(ref);
  if (token().kind == TokenKind::string) take(Role::keyword);
  else if (is_name() && !name()) return false;
  return finish(StatementClass::read);
}

}  // namespace darktap::sql
