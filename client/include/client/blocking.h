// One question after the other, for a run's start: identities, the catalogue. Not for replay.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "client/connection.h"
#include "client/credentials.h"

namespace darktap::client {

// Rows of a first result set by column name (as the server spells it; look-ups ignore case).
class Table {
 public:
  Table() = default;
  Table(std::vector<std::string> names, std::vector<std::vector<mysql::Cell>> rows)
      : names_(std::move(names)), rows_(std::move(rows)) {}
  std::size_t size() const { return rows_.size(); }
  // The value as text; nothing for NULL, a column that isn't there, or a row beyond the end.
  std::optional<std::string> at(std::size_t row, std::string_view column) const;
  std::optional<std::string> at(std::size_t row, std::size_t column) const;

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<mysql::Cell>> rows_;
};

class BlockingConnection {
 public:
  // Looks the host up, connects and logs in. Answers are kept whole up to 2,000,000 rows or 512 MiB, whatever options.kept says.
  static Expected<BlockingConnection, ConnectFailed> open(const Login& login, ConnectOptions options = {});
  BlockingConnection(BlockingConnection&&) noexcept;
  BlockingConnection& operator=(BlockingConnection&&) noexcept;
  ~BlockingConnection();

  // The whole reply, or why the connection is lost.
  Expected<Reply, Lost> ask(std::string_view sql);
  Expected<Reply, Lost> ask(mysql::CommandCode code, Bytes payload, const std::vector<mysql::Column>& prepared_columns = {});
  // The first result set's rows; a server's error or a lost connection is one line.
  Expected<Table, std::string> table(std::string_view sql);

  const Connection& connection() const;

 private:
  struct State;
  explicit BlockingConnection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Looks the login's host up and fills the options' addresses, name, user, password and schema.
Expected<ConnectOptions, ConnectFailed> options_for(const Login& login, ConnectOptions options = {});

}  // namespace darktap::client
