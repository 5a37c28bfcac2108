#include "database.h"

#include <sqlite3.h>

#include <cstring>

namespace darktap::store {

namespace {

constexpr int busy_timeout_ms = 10'000;  // a writer holds its lock for one short transaction a second

std::string escaped_uri(const std::string& path) {
  std::string uri = "file:";
  for (char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      char buffer[4];
      std::snprintf(buffer, sizeof buffer, "%%%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      uri += buffer;
    } else {
      uri += c;
    }
  }
  return uri;
}

}  // namespace

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

bool Statement::step() {
  int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  database_->fail(code);
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

void Statement::put(int index, std::string_view text) {
  // A view of nothing may have no address, which SQLite would take for NULL.
  const char* data = text.data() ? text.data() : "";
  int code = sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) database_->fail(code);
}

void Statement::put(int index, std::int64_t number) {
  if (int code = sqlite3_bind_int64(statement_.get(), index, number); code != SQLITE_OK) database_->fail(code);
}

void Statement::put(int index, std::nullopt_t) {
  if (int code = sqlite3_bind_null(statement_.get(), index); code != SQLITE_OK) database_->fail(code);
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Statement::text(int column) const {
  const unsigned char* data = sqlite3_column_text(statement_.get(), column);
  if (data == nullptr) return {};
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Database::Closer::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Database::Database(std::string name, const std::string& path, Access access) : name_(std::move(name)) {
  int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_FULLMUTEX |
              (access == Access::write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
  std::string uri = escaped_uri(path) + (access == Access::read_immutable ? "?immutable=1" : "");
  sqlite3* raw = nullptr;
  int code = sqlite3_open_v2(uri.c_str(), &raw, flags, nullptr);
  handle_.reset(raw);
  if (code != SQLITE_OK) fail(code);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, busy_timeout_ms);
  // A store may come from elsewhere: its schema may call no function with side effects.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
}

void Database::execute(const char* sql) {
  if (int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr); code != SQLITE_OK) fail(code);
}

Statement Database::prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) fail(code);
  return {*this, statement};
}

std::int64_t Database::pragma(const char* name) const {
  Statement statement = prepare(std::string("PRAGMA ") + name);
  return statement.step() ? statement.integer(0) : 0;
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
int Database::changes() const { return sqlite3_changes(handle_.get()); }

void Database::fail(int code) const {
  std::string line = "store " + name_ + ": ";
  int system = handle_ ? sqlite3_system_errno(handle_.get()) : 0;
  std::string reason = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_FULL: line += "the disk is full; free some space or give another file"; break;
    case SQLITE_READONLY: line += "it can't be written (read-only file or folder); give a file in a folder that you may write"; break;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      line += "can't be opened (" + std::string(system ? std::strerror(system) : reason.c_str()) + "); check the path and its permissions";
      break;
    case SQLITE_NOTADB: line += "is not a darktap store; give a file that replay, shadow or check wrote"; break;
    case SQLITE_CORRUPT: line += "is damaged (" + reason + "); restore it from a copy or start a new one"; break;
    case SQLITE_BUSY: line += "another process kept it locked for " + std::to_string(busy_timeout_ms / 1000) + " s; end that one first"; break;
    case SQLITE_IOERR:
      line += "reading or writing failed (" + std::string(system ? std::strerror(system) : reason.c_str()) + "); check the disk";
      break;
    default: line += reason; break;
  }
  throw Failure(FailureKind::environment, line);
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const Failure&) {
    // SQLite has rolled back by itself, as it does where the disk is full.
  }
}

ReadTransaction::ReadTransaction(Database& database) : database_(database) { database_.execute("BEGIN"); }

ReadTransaction::~ReadTransaction() {
  try {
    database_.execute("COMMIT");
  } catch (const Failure&) {
    // Nothing was written, so nothing is lost.
  }
}

}  // namespace darktap::store
