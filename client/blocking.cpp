#include "client/blocking.h"

#include <strings.h>

#include <algorithm>

#include "client/address.h"

namespace darktap::client {
namespace {

constexpr std::size_t start_up_rows = 2'000'000, start_up_bytes = std::size_t{512} << 20;

}  // namespace

std::optional<std::string> Table::at(std::size_t row, std::size_t column) const {
  if (row >= rows_.size() || column >= rows_[row].size() || rows_[row][column].is_null) return std::nullopt;
  return rows_[row][column].text;
}

std::optional<std::string> Table::at(std::size_t row, std::string_view column) const {
  auto same = [&](const std::string& name) {
    return name.size() == column.size() && strncasecmp(name.data(), column.data(), name.size()) == 0;
  };
  auto found = std::find_if(names_.begin(), names_.end(), same);
  if (found == names_.end()) return std::nullopt;
  return at(row, static_cast<std::size_t>(found - names_.begin()));
}

// The loop is turned until the one thing that was started has ended.
struct BlockingConnection::State final : ConnectionHandler {
  EventLoop loop;
  std::unique_ptr<Connection> connection;
  std::optional<Reply> reply;
  std::optional<ConnectFailed> failed;
  std::optional<Lost> lost;
  enum class Phase : std::uint8_t { waiting, ended } phase = Phase::waiting;

  void on_connected(Connection&) override { phase = Phase::ended; }
  void on_connect_failed(Connection&, const ConnectFailed& failure) override {
    failed = failure;
    phase = Phase::ended;
  }
  void on_reply(Connection&, Reply&& answer) override {
    reply = std::move(answer);
    phase = Phase::ended;
  }
  void on_lost(Connection&, const Lost& loss) override {
    lost = loss;
    phase = Phase::ended;
  }
  void wait() {
    while (phase == Phase::waiting) loop.run_once(std::chrono::seconds{1});
  }
};

BlockingConnection::BlockingConnection(std::unique_ptr<State> state) : state_(std::move(state)) {}
BlockingConnection::BlockingConnection(BlockingConnection&&) noexcept = default;
BlockingConnection& BlockingConnection::operator=(BlockingConnection&&) noexcept = default;
BlockingConnection::~BlockingConnection() = default;

Expected<ConnectOptions, ConnectFailed> options_for(const Login& login, ConnectOptions options) {
  options.name = address_of(login.url);
  auto addresses = resolve(login.url.host, login.url.port);
  if (!addresses) return Unexpected(ConnectFailed{ConnectFailed::Kind::unknown_host, 0, options.name + ": " + addresses.error()});
  options.addresses = std::move(*addresses);
  options.user = login.url.user;
  options.password = login.password;
  options.schema = login.url.schema;
  options.tls = login.tls;
  options.compression = login.compression;
  options.tls.host = login.url.host;
  return options;
}

Expected<BlockingConnection, ConnectFailed> BlockingConnection::open(const Login& login, ConnectOptions options) {
  auto filled = options_for(login, std::move(options));
  if (!filled) return Unexpected(filled.error());
  filled->kept = {.kept_rows = start_up_rows, .kept_bytes = start_up_bytes};
  auto state = std::make_unique<State>();
  state->connection = std::make_unique<Connection>(state->loop, *state, *filled);
  state->wait();
  if (state->failed) return Unexpected(*state->failed);
  return BlockingConnection(std::move(state));
}

Expected<Reply, Lost> BlockingConnection::ask(std::string_view sql) { return ask(mysql::CommandCode::query, as_bytes(sql)); }

Expected<Reply, Lost> BlockingConnection::ask(mysql::CommandCode code, Bytes payload,
                                              const std::vector<mysql::Column>& prepared_columns) {
  if (state_->lost) return Unexpected(*state_->lost);
  state_->phase = State::Phase::waiting;
  state_->reply.reset();
  state_->connection->send(code, payload, prepared_columns);
  state_->wait();
  if (state_->lost) return Unexpected(*state_->lost);
  return std::move(*state_->reply);
}

Expected<Table, std::string> BlockingConnection::table(std::string_view sql) {
  auto reply = ask(sql);
  if (!reply) return Unexpected(reply.error().reason);
  if (const mysql::ServerError* error = reply->answer.error())
    return Unexpected(std::to_string(error->code) + " " + error->message);
  const mysql::ResultSet* rows = reply->answer.first_rows();
  if (rows == nullptr) return Table{};
  if (!rows->all_rows_kept()) return Unexpected("more than " + std::to_string(rows->rows.size()) + " rows");
  std::vector<std::string> names;
  for (const mysql::Column& column : rows->columns) names.push_back(column.name);
  std::vector<std::vector<mysql::Cell>> cells;
  for (std::size_t i = 0; i < rows->rows.size(); ++i) {
    auto row = mysql::decode_row(rows->rows.row(i), rows->columns, rows->format);
    if (!row) return Unexpected("row " + std::to_string(i + 1) + " can't be read");
    cells.push_back(std::move(*row));
  }
  return Table(std::move(names), std::move(cells));
}

const Connection& BlockingConnection::connection() const { return *state_->connection; }

}  // namespace darktap::client
