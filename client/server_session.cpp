#include "client/server_session.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "client/collation.h"
#include "client/execute.h"

namespace darktap::client {
namespace {

using mysql::CommandCode;

bool needs_statement(CommandCode code) { return code == CommandCode::stmt_execute || code == CommandCode::stmt_bulk_execute; }

std::vector<std::byte> little_endian(std::uint32_t value) {
  std::vector<std::byte> bytes(4);
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
  return bytes;
}

SessionResult unanswered() {
  SessionReply reply;
  reply.reply.answer.state = mysql::Answer::State::none;
  reply.reply.sent = reply.reply.first_byte = reply.reply.last_byte = CaptureClock::now();
  return reply;
}

}  // namespace

struct ServerSession::Impl final : ConnectionHandler {
  // A statement known by its text. It outlives the connection, since its names are those of the schema it was prepared in.
  struct Prepared {
    enum class State : std::uint8_t { open, lost } state = State::lost;
    std::uint32_t id = 0;
    std::uint16_t parameters = 0;
    mysql::Columns columns;
    std::string schema;
    std::uint64_t age = 0;
  };
  // What the connection is answering right now.
  enum class Step : std::uint8_t { none, setting, restoring, collation, charset, schema, prepare, check, before, command };

  Impl(ServerSession& self_, EventLoop& loop_, SessionHandler& handler_, std::shared_ptr<const SessionOptions> options_)
      : self(self_), loop(loop_), handler(handler_), options(std::move(options_)) {}
  ~Impl() override { loop.cancel(deferred); }

  void start(const Request& next) {
    request = next;
    before_done = 0;
    before_refused = 0;
    checks = 0;
    bulk_row = 0;
    bulk_total = {};
    state = State::busy;
    if (adopting) {
      if (!request.schema.empty()) schema = request.schema;
      if (request.collation != 0) collation = request.collation;
      adopting = false;
    }
    if (request.command->code == CommandCode::stmt_close) {  // nothing answers it, so nothing need be opened for it
      forget(request.command->text);
      return defer(unanswered());
    }
    if (!connection) {
      ConnectOptions connect = options->connect;
      if (request.login == Request::Login::into_none) connect.schema.clear();
      login_schema = connect.schema;
      connection = std::make_unique<Connection>(loop, *this, connect);
      return;
    }
    advance();
  }

  // Takes the next step towards the command; each step's answer comes back here.
  void advance() {
    if (settings_done < options->settings.size()) return send_text(Step::setting, CommandCode::query, options->settings[settings_done]);
    if (restored < remembered.size()) return send_text(Step::restoring, CommandCode::query, remembered[restored]);
    if (request.collation != 0 && request.collation != collation)
      if (auto name = collation_name(request.collation)) return send_names(Step::collation, *name);

    const mysql::Command& command = *request.command;
    Prepared* prepared = needs_statement(command.code) ? find(command.text) : nullptr;
    bool must_prepare = needs_statement(command.code) && (prepared == nullptr || prepared->state != Prepared::State::open);
    std::string_view wanted = must_prepare && prepared != nullptr ? std::string_view(prepared->schema) : request.schema;
    if (!wanted.empty() && wanted != schema) {
      entering = wanted;
      return send_text(Step::schema, CommandCode::init_db, wanted);
    }
    if (must_prepare) return send_text(Step::prepare, CommandCode::stmt_prepare, command.text);
    if (before_done == 0 && !request.before.empty() && !stands(request.before_in)) return;
    if (before_done < request.before.size()) return send_text(Step::before, CommandCode::query, request.before[before_done]);
    if (!stands(request.command_in)) return;
    send_command(command, prepared);
  }

  // True where the server's session stands as demanded. Else it is being asked or tidied up, or the request has ended.
  bool stands(InTransaction wanted) {
    if (wanted == InTransaction::any) return true;
    bool is_open = server_status && (*server_status & mysql::status_flag::in_transaction) != 0;
    bool commits_alone = !server_status || (*server_status & mysql::status_flag::autocommit) != 0;
    if (server_status && wanted == InTransaction::yes && (is_open || !commits_alone)) return true;
    if (server_status && wanted == InTransaction::no && !is_open) return true;
    bool can_help = !server_status || wanted == InTransaction::no;
    if (!can_help || ++checks > most_checks) {
      defer(NotSendable{wanted == InTransaction::yes ? "no transaction is open at the server" : "the server would not roll back", NotSendable::Why::transaction});
    } else if (!server_status) {
      send_text(Step::check, CommandCode::ping, "");
    } else {
      send_text(Step::check, CommandCode::query, "ROLLBACK");
    }
    return false;
  }

  void send_text(Step next, CommandCode code, std::string_view text) {
    step = next;
    connection->send(code, as_bytes(text), {}, is_login_step() ? options->connect.connect_timeout : std::chrono::milliseconds{0});
  }

  // Steps that any server answers at once belong to the login: one that doesn't is as mute as one that never greets.
  bool is_login_step() const { return step != Step::none && step != Step::prepare && step != Step::check && step != Step::before && step != Step::command; }

  void send_names(Step next, const CollationName& name) {
    std::string sql = "SET NAMES " + std::string(name.charset);
    if (next == Step::collation && name.charset != "binary") sql += " COLLATE " + std::string(name.collation);
    send_text(next, CommandCode::query, sql);
  }

  void send_command(const mysql::Command& command, Prepared* prepared) {
    switch (command.code) {
      case CommandCode::query: case CommandCode::init_db: case CommandCode::stmt_prepare: case CommandCode::ping:
        return send_text(Step::command, command.code, command.text);
      case CommandCode::stmt_execute: {
        if (command.parameters.size() != prepared->parameters)
          return defer(NotSendable{"the statement has " + std::to_string(command.parameters.size()) + " parameters in the capture and " +
                                   std::to_string(prepared->parameters) + " at the server"});
        auto payload = encode_execute(prepared->id, command.parameters);
        if (!payload) return defer(NotSendable{payload.error()});
        step = Step::command;
        return connection->send(command.code, *payload, prepared->columns);
      }
      case CommandCode::stmt_bulk_execute: return send_bulk(command, *prepared);
      case CommandCode::stmt_reset: {
        Prepared* open = find(command.text);
        if (open == nullptr || open->state != Prepared::State::open) return defer(NotSendable{"its statement is not open at the server"});
        step = Step::command;
        return connection->send(command.code, little_endian(open->id));
      }
      default:
        return defer(NotSendable{std::string(mysql::command_name(command.code)) + " is not sent to servers"});
    }
  }

  void send_bulk(const mysql::Command& command, const Prepared& prepared) {
    if (command.bulk_rows == 0 || command.parameters.size() != std::size_t{prepared.parameters} * command.bulk_rows)
      return defer(NotSendable{"the statement has other parameters in the capture than at the server"});
    std::span<const mysql::Parameter> all = command.parameters;
    auto payload = has_bulk() ? encode_bulk_execute(prepared.id, all, command.bulk_rows)
                              : encode_execute(prepared.id, all.subspan(std::size_t{bulk_row} * prepared.parameters, prepared.parameters));
    if (!payload) return defer(NotSendable{payload.error()});
    step = Step::command;
    connection->send(has_bulk() ? command.code : CommandCode::stmt_execute, *payload, prepared.columns);
  }
  bool has_bulk() const { return (connection->capabilities() & mysql::capability::mariadb_bulk) != 0; }

  // True where more rows are to be executed; else the reply stands for all of them.
  bool has_more_rows(Reply& reply) {
    if (request.command->code != CommandCode::stmt_bulk_execute || has_bulk()) return false;
    const mysql::Ok* ok = reply.answer.last_ok();
    if (ok == nullptr || reply.answer.results.size() != 1) return false;  // an error, or rows that nothing adds up
    if (bulk_row == 0) bulk_sent = reply.sent;
    bulk_total.affected_rows += ok->affected_rows;
    bulk_total.warnings = static_cast<std::uint16_t>(bulk_total.warnings + ok->warnings);
    if (ok->last_insert_id != 0 && bulk_total.last_insert_id == 0) bulk_total.last_insert_id = ok->last_insert_id;
    bulk_total.status = ok->status;
    if (++bulk_row < request.command->bulk_rows) return true;
    reply.answer.results = {bulk_total};
    reply.sent = bulk_sent;
    return false;
  }

  void on_connected(Connection&) override {
    schema = login_schema;
    collation = 0;
    settings_done = restored = 0;
    server_status.reset();
    advance();
  }

  void on_reply(Connection&, Reply&& reply) override {
    const mysql::ServerError* error = reply.answer.error();
    if (auto status = reply.answer.last_status()) server_status = status;
    else if (error != nullptr) server_status.reset();  // it may have ended a transaction
    switch (std::exchange(step, Step::none)) {
      case Step::none: return;
      case Step::setting: ++settings_done; break;
      case Step::restoring: ++restored; break;
      case Step::collation:
        // A collation that only the source's kind of server knows: the character set decides what the bytes mean.
        if (error != nullptr) return send_names(Step::charset, *collation_name(request.collation));
        collation = request.collation;
        break;
      case Step::charset: collation = request.collation; break;
      case Step::schema:
        if (error != nullptr) return finish(SessionReply{std::move(reply), SessionReply::Step::schema, 0});
        schema = entering;
        break;
      case Step::prepare:
        if (error != nullptr) return finish(SessionReply{std::move(reply), SessionReply::Step::prepare, 0});
        keep(request.command->text, reply);
        break;
      case Step::check: break;
      case Step::before:
        ++before_done;
        if (error != nullptr) before_refused = error->code;
        break;
      case Step::command:
        if (error == nullptr && request.command->code == CommandCode::stmt_prepare) keep(request.command->text, reply);
        if (error == nullptr && request.command->code == CommandCode::init_db) schema = request.command->text;
        if (request.command->code == CommandCode::stmt_execute) remember_columns(request.command->text, reply.answer);
        if (has_more_rows(reply)) break;
        return finish(SessionReply{std::move(reply), SessionReply::Step::command, before_refused});
    }
    advance();
  }

  void on_connect_failed(Connection&, const ConnectFailed& failure) override {
    ConnectFailed copy = failure;
    drop_connection();
    finish(std::move(copy));
  }

  void on_lost(Connection&, const Lost& loss) override {
    Lost copy = loss;
    bool in_login = is_login_step();
    drop_connection();
    if (state == State::idle) return handler.on_closed(self);
    if (!in_login) return finish(std::move(copy));
    using Kind = ConnectFailed::Kind;
    finish(ConnectFailed{copy.kind == Lost::Kind::timed_out ? Kind::mute : Kind::broken, 0, copy.reason});
  }

  void drop_connection() {
    connection.reset();
    step = Step::none;
    adopting = false;
    for (auto& [text, prepared] : statements) prepared.state = Prepared::State::lost;
  }

  void finish(SessionResult result) {
    state = State::idle;
    request = {};
    handler.on_result(self, std::move(result));
  }

  // For results that need no answer: given from the loop, as every other.
  void defer(SessionResult result) {
    loop.cancel(deferred);
    deferred_result = std::move(result);
    deferred = loop.after({}, [this] {
      deferred = {};
      if (state == State::busy) finish(std::move(deferred_result));
    });
  }

  Prepared* find(const std::string& text) {
    auto found = statements.find(text);
    return found == statements.end() ? nullptr : &found->second;
  }

  // A statement prepared on the way stands in the schema that INIT_DB has just gone to, as the captured one did.
  void keep(const std::string& text, Reply& reply) {
    forget(text);
    if (statements.size() >= options->prepared_statements && !statements.empty()) {
      auto oldest = std::min_element(statements.begin(), statements.end(),
                                     [](const auto& a, const auto& b) { return a.second.age < b.second.age; });
      forget(std::string(oldest->first));
    }
    statements[text] = Prepared{Prepared::State::open, reply.answer.statement_id, reply.answer.parameter_count,
                                std::move(reply.prepared_columns), schema, ++ages};
  }

  // A server that caches metadata leaves out what it sent last, and an execute may have changed what PREPARE announced.
  void remember_columns(const std::string& text, const mysql::Answer& answer) {
    const mysql::ResultSet* rows = answer.first_rows();
    if (Prepared* prepared = find(text); prepared != nullptr && rows != nullptr) prepared->columns = rows->columns;
  }

  void forget(const std::string& text) {
    auto found = statements.find(text);
    if (found == statements.end()) return;
    if (found->second.state == Prepared::State::open && connection)
      connection->send_unanswered(CommandCode::stmt_close, little_endian(found->second.id));
    statements.erase(found);
  }

  ServerSession& self;
  EventLoop& loop;
  SessionHandler& handler;
  std::shared_ptr<const SessionOptions> options;

  enum class State : std::uint8_t { idle, busy } state = State::idle;
  Request request;
  Step step = Step::none;
  std::unique_ptr<Connection> connection;
  std::size_t settings_done = 0, restored = 0;
  std::size_t before_done = 0;
  std::uint16_t before_refused = 0;
  static constexpr int most_checks = 4;  // of one request
  int checks = 0;
  std::uint32_t bulk_row = 0;  // of a bulk execute that the server takes row by row
  mysql::Ok bulk_total;
  CaptureTime bulk_sent;
  std::optional<std::uint16_t> server_status;  // its last word; nothing after an error

  std::string schema, entering, login_schema;  // where the session stands; where INIT_DB is taking it; where the login put it
  std::uint16_t collation = 0;
  bool adopting = false;
  std::unordered_map<std::string, Prepared> statements;
  std::uint64_t ages = 0;
  std::vector<std::string> remembered;
  std::size_t remembered_size = 0;

  EventLoop::TimerId deferred;
  SessionResult deferred_result;
};

ServerSession::ServerSession(EventLoop& loop, SessionHandler& handler, std::shared_ptr<const SessionOptions> options)
    : impl_(std::make_unique<Impl>(*this, loop, handler, std::move(options))) {}
ServerSession::~ServerSession() = default;

void ServerSession::start(const Request& request) { impl_->start(request); }
bool ServerSession::busy() const { return impl_->state == Impl::State::busy; }
bool ServerSession::connected() const {
  return impl_->connection && impl_->connection->state() != Connection::State::connecting;
}

bool ServerSession::remember(const std::string& sql) {
  auto& list = impl_->remembered;
  if (auto same = std::find(list.begin(), list.end(), sql); same != list.end()) {
    std::rotate(same, same + 1, list.end());
  } else {
    if (impl_->remembered_size + sql.size() > impl_->options->remembered_bytes) return false;
    impl_->remembered_size += sql.size();
    list.push_back(sql);
  }
  impl_->restored = list.size();  // in force on this connection already
  return true;
}

void ServerSession::adopt_state() { impl_->adopting = true; }

bool ServerSession::stateless() const {
  bool has_open = std::any_of(impl_->statements.begin(), impl_->statements.end(),
                              [](const auto& entry) { return entry.second.state == Impl::Prepared::State::open; });
  return !has_open && impl_->remembered.empty();
}

void ServerSession::close(Memory memory) {
  impl_->drop_connection();
  if (memory == Memory::keep) return;
  impl_->statements.clear();
  impl_->remembered.clear();
  impl_->remembered_size = 0;
}

const Connection* ServerSession::connection() const { return impl_->connection.get(); }

}  // namespace darktap::client
