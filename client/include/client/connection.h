// A connection to a MySQL server on an event loop: login by the client library, then commands and responses by the
// project's own framing and decoder, so that both sides of a comparison are read by the same code.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/stream.h"
#include "client/event_loop.h"
#include "client/tls_options.h"
#include "mysql/response_decoder.h"

namespace darktap::client {

// zlib on the wire, where the server can; within TLS where there is both.
enum class Compression : std::uint8_t { off, where_possible };

struct ConnectOptions {
  std::vector<Endpoint> addresses;  // tried in order until one accepts; all within connect_timeout
  std::string name;                 // how errors call the server: "127.0.0.1:3306"
  std::string user, password, schema;
  TlsOptions tls;
  Compression compression = Compression::off;
  std::chrono::milliseconds connect_timeout{5000};     // TCP, greeting and login together
  std::chrono::milliseconds statement_timeout{30'000};  // from the command's sending to its last byte
  mysql::ResponseLimits kept;                          // how much of an answer's rows is kept
  std::size_t message_bytes = std::size_t{256} << 20;  // a longer message from the server ends the connection
};

struct ConnectFailed {
  enum class Kind : std::uint8_t {
    refused,      // nothing listens there, or no route
    unknown_host,
    timed_out,    // no TCP connection in time
    mute,         // a TCP connection, but no greeting or no end of the login in time
    denied,       // user, password or schema refused; TLS demanded
    full,         // too many connections
    broken,       // closed in the middle of the login, or not a MySQL server
  };
  Kind kind{};
  std::uint16_t code = 0;  // the server's, where it answered
  std::string reason;      // one line: the server, what happened, the remedy
};

struct Lost {
  enum class Kind : std::uint8_t { closed, timed_out, malformed };
  Kind kind{};
  std::string reason;  // one line
};

// A command's answer with the times at this client, on the tap's clock.
struct Reply {
  mysql::Answer answer;
  mysql::Columns prepared_columns;              // of a COM_STMT_PREPARE
  CaptureTime sent, first_byte, last_byte;
  std::uint64_t response_bytes = 0;             // frame headers included
  enum class Infile : std::uint8_t { not_asked, refused } infile = Infile::not_asked;  // LOCAL INFILE is never served
};

// An answer that nobody needs any more: its storage serves another one that is read on this thread.
void recycle(mysql::Answer& answer);

class Connection;

// Told of what happens, always from the loop, never from inside a call to the connection. Each call is the last thing the
// connection does, so the handler may send the next command or destroy the connection.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  virtual void on_connected(Connection& connection) = 0;
  virtual void on_connect_failed(Connection& connection, const ConnectFailed& failure) = 0;
  virtual void on_reply(Connection& connection, Reply&& reply) = 0;
  // The connection is dead; a command in flight gets no reply.
  virtual void on_lost(Connection& connection, const Lost& loss) = 0;
};

class Connection {
 public:
  // Starts connecting at once. Options are copied where they are needed later; handler and loop must outlive it.
  Connection(EventLoop& loop, ConnectionHandler& handler, const ConnectOptions& options);
  ~Connection();  // closes; a server that is idle is told by COM_QUIT
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class State : std::uint8_t { connecting, idle, busy, dead };
  State state() const;

  // Sends one command; the connection must be idle. `payload` is what follows the command byte and is copied.
  // `prepared_columns`: for COM_STMT_EXECUTE, what the PREPARE's reply announced. `limit`: zero is the statement_timeout.
  void send(mysql::CommandCode code, Bytes payload, const mysql::Columns& prepared_columns = {},
            std::chrono::milliseconds limit = {});
  // For COM_STMT_CLOSE, which no server answers: sent with the next command or at once; the connection stays idle.
  void send_unanswered(mysql::CommandCode code, Bytes payload);

  mysql::Capabilities capabilities() const;   // in force since the login
  bool is_compressed() const;
  const std::string& server_version() const;  // as greeted
  std::uint32_t server_thread() const;        // the server's id of this connection
  const Endpoint& address() const;            // the one that accepted
  Endpoint local_endpoint() const;            // our end, so that the tap can leave it out

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace darktap::client
