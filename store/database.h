// RAII over SQLite: a connection, a prepared statement, a transaction that rolls back. Every error becomes one
// Failure(environment) that names the store and the remedy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/expected.h"

struct sqlite3;
struct sqlite3_stmt;

namespace darktap::store {

class Database;

// Binds copies its arguments: a statement never outlives what it was given.
class Statement {
 public:
  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (put(++index, values), ...);
    return *this;
  }
  // True while there is a row; column values are valid until the next step.
  bool step();
  template <class... Values>
  void run(const Values&... values) {
    bind(values...);
    while (step()) {}
    reset();
  }

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::uint64_t count(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  std::string text(int column) const;

 private:
  friend class Database;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(const Database& database, sqlite3_stmt* statement) : database_(&database), statement_(statement) {}
  void reset();
  void put(int index, std::string_view text);
  void put(int index, const std::string& text) { put(index, std::string_view(text)); }
  void put(int index, const char* text) { put(index, std::string_view(text)); }
  void put(int index, std::int64_t number);
  void put(int index, std::uint64_t number) { put(index, static_cast<std::int64_t>(number)); }
  void put(int index, int number) { put(index, static_cast<std::int64_t>(number)); }
  void put(int index, std::nullopt_t);
  template <class Value>
  void put(int index, const std::optional<Value>& value) {
    if (value) put(index, *value);
    else put(index, std::nullopt);
  }

  const Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

class Database {
 public:
  enum class Access : std::uint8_t {
    read,            // the WAL's shared memory may be created beside the file
    read_immutable,  // nothing is created; only right where nobody writes
    write,
  };
  // name is how the user called the file, for messages; path has no symbolic link in it.
  Database(std::string name, const std::string& path, Access access);

  void execute(const char* sql);
  Statement prepare(std::string_view sql) const;
  std::int64_t pragma(const char* name) const;
  std::int64_t last_insert_id() const;
  int changes() const;
  const std::string& name() const { return name_; }

  // Throws the Failure for an SQLite result code.
  [[noreturn]] void fail(int code) const;

 private:
  struct Closer {
    void operator()(sqlite3* handle) const;
  };
  std::string name_;
  std::unique_ptr<sqlite3, Closer> handle_;
};

class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database_.execute("BEGIN IMMEDIATE"); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

// One consistent view for several reads.
class ReadTransaction {
 public:
  explicit ReadTransaction(Database& database);
  ~ReadTransaction();
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  Database& database_;
};

}  // namespace darktap::store
