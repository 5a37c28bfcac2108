// A connection that stands in the state a command needs: logged in, read-only, in the right schema and collation, its
// statement prepared; brought there again after a loss. Replay's lanes and the asker's questions run on these.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "client/connection.h"

namespace darktap::client {

struct SessionOptions {
  ConnectOptions connect;
  // Run after each login, in order; an answer that is an error is passed over (a server without the setting has no such
  // lock). The defaults are the second lock of a reads run and its autocommit.
  std::vector<std::string> settings = {"SET SESSION TRANSACTION READ ONLY", "SET SESSION autocommit = 1"};
  std::size_t prepared_statements = 1000;  // kept open on the server a session; the oldest is closed for the next
  std::size_t remembered_bytes = 64U << 10;  // of statements to be run again after a loss
};

// What a request demands of the server's session, by the server's own last word on it; where that was an error, which tells
// nothing, it is asked. no: a transaction that is open all the same is rolled back first.
enum class InTransaction : std::uint8_t { any, yes, no };

// What a command needs; the views must live until the answer.
struct Request {
  const mysql::Command* command = nullptr;  // COM_QUERY, INIT_DB, STMT_PREPARE, STMT_EXECUTE (never with a cursor), STMT_BULK_EXECUTE
                                           // (row by row where the server has none), STMT_RESET, STMT_CLOSE, PING
  std::string_view schema;      // empty: whichever the session stands in
  std::uint16_t collation = 0;  // 0: whichever the session stands in
  std::span<const std::string> before;  // statements to be run right before the command; a refusal is told and doesn't stop it
  InTransaction before_in = InTransaction::any, command_in = InTransaction::any;  // else neither the first of `before` nor the command is sent
  // Where a login is needed first, and `schema` is empty: into the options' schema, or into none, as a client that names none.
  enum class Login : std::uint8_t { into_schema, into_none } login = Login::into_schema;
};

struct SessionReply {
  Reply reply;
  // What was answered: the command itself, or a step on the way that the server refused with an error.
  enum class Step : std::uint8_t { command, schema, prepare } step = Step::command;
  std::uint16_t before_refused = 0;  // the server's error code, where it refused one of Request::before
};
// Nothing was sent: the command can't be encoded, or the server's session is not in the transaction that it must be in.
struct NotSendable {
  std::string reason;
  enum class Why : std::uint8_t { command, transaction } why = Why::command;
};
using SessionResult = std::variant<SessionReply, ConnectFailed, Lost, NotSendable>;

class ServerSession;
class SessionHandler {
 public:
  virtual ~SessionHandler() = default;
  // The last thing the session does; the handler may start the next request or destroy the session.
  virtual void on_result(ServerSession& session, SessionResult&& result) = 0;
  // The server closed an idle session; the next request opens it again.
  virtual void on_closed(ServerSession&) {}
};

class ServerSession {
 public:
  ServerSession(EventLoop& loop, SessionHandler& handler, std::shared_ptr<const SessionOptions> options);
  ~ServerSession();
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;

  // Starts one request, connecting first if need be; leads to exactly one on_result, never from inside this call. One at a
  // time. Prepared statements are known by their text, so the ids of a capture never reach the server; an execute whose
  // text is not prepared yet is prepared on the way.
  void start(const Request& request);
  bool busy() const;
  bool connected() const;

  // A statement that changed the session's state and succeeded: it is run again after the next login. The same text counts
  // once. False where remembered_bytes is spent: the state can't be restored any more.
  bool remember(const std::string& sql);
  // The next request takes the session's schema and collation as they are: a statement has just set them.
  void adopt_state();
  // True while closing the connection would lose nothing that start() can't restore from its request alone.
  bool stateless() const;
  // Closes the connection; remembered statements stay. With forget: as a new session (COM_CHANGE_USER, RESET_CONNECTION).
  enum class Memory : std::uint8_t { keep, forget };
  void close(Memory memory);

  const Connection* connection() const;  // nullptr while there is none

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace darktap::client
