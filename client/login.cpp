#include "login.h"

#include <errmsg.h>
#include <fcntl.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <mutex>

#include "base/expected.h"

namespace darktap::client {
namespace {

// Plugins that never send the password as it is; a server that asks for another one is not served.
constexpr const char* safe_plugins = "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519";
constexpr int unwind_rounds = 64;  // suspensions between a time-out and the library's return

void initialise_library() {
  static std::once_flag once;
  std::call_once(once, [] { mysql_server_init(0, nullptr, nullptr); });
}

// What the login agreed on: the plain flags of both sides, and MariaDB's extended ones, which the library sends whole.
mysql::Capabilities negotiated(MYSQL* mysql) {
  unsigned long extended = 0;
  mariadb_get_infov(mysql, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &extended);
  mysql::Capabilities plain = mysql->client_flag & mysql->server_capabilities & 0xffffffff;
  bool is_mariadb = (mysql->server_capabilities & CLIENT_MYSQL) == 0;
  if (!is_mariadb) return plain;
  return plain | ((mysql::Capabilities{extended} << 32) & MARIADB_CLIENT_SUPPORTED_FLAGS);
}

// The library would say COM_QUIT on the socket when it frees its handle: it is given the end of a pair to say that to,
// and the real socket goes on without it (its buffers and its coroutine's stack are freed: some 60 KiB a connection).
void prepare_socket(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

int take_socket(MYSQL* mysql) {
  int theirs = static_cast<int>(mysql_get_socket(mysql));
  int ours = fcntl(theirs, F_DUPFD_CLOEXEC, 0);
  int pair[2];
  if (ours < 0) return -1;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    ::close(ours);
    return -1;
  }
  dup2(pair[0], theirs);
  ::close(pair[0]);
  mysql_close(mysql);
  ::close(pair[1]);
  prepare_socket(ours);
  return ours;
}

void demand_tls(MYSQL* mysql, const TlsOptions& tls) {
  using Mode = TlsOptions::Mode;
  if (tls.mode == Mode::disabled) return;
  auto set = [&](mysql_option option, const std::string& value) {
    if (!value.empty()) mysql_options(mysql, option, value.c_str());
  };
  set(MYSQL_OPT_SSL_CA, tls.ca);
  set(MYSQL_OPT_SSL_CAPATH, tls.capath);
  set(MYSQL_OPT_SSL_CERT, tls.cert);
  set(MYSQL_OPT_SSL_KEY, tls.key);
  set(MYSQL_OPT_SSL_CIPHER, tls.cipher);
  set(MARIADB_OPT_TLS_VERSION, tls.version);
  my_bool yes = 1;
  mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
  if (tls.mode == Mode::verify_identity) mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
}

bool has_peer(int fd) {
  sockaddr_storage peer;
  socklen_t size = sizeof peer;
  return fd >= 0 && getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

}  // namespace

LoginAttempt::LoginAttempt(EventLoop& loop, const ConnectOptions& options, const Endpoint& address, Done done)
    : loop_(loop), options_(options), address_(address), host_(to_string(address.address)), done_(std::move(done)) {
  initialise_library();
  mysql_ = mysql_init(nullptr);
  if (mysql_ == nullptr) throw Failure(FailureKind::environment, "out of memory for a connection");
  unsigned timeout = static_cast<unsigned>(options.connect_timeout.count() / 1000) + 1;
  unsigned protocol = MYSQL_PROTOCOL_TCP, no = 0;
  mysql_options(mysql_, MYSQL_OPT_NONBLOCK, nullptr);
  mysql_options(mysql_, MYSQL_OPT_PROTOCOL, &protocol);
  mysql_options(mysql_, MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
  mysql_options(mysql_, MYSQL_OPT_LOCAL_INFILE, &no);
  mysql_options(mysql_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options(mysql_, MARIADB_OPT_RESTRICTED_AUTH, safe_plugins);
  mysql_options4(mysql_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "darktap");
  if (options.compression == Compression::where_possible) mysql_options(mysql_, MYSQL_OPT_COMPRESS, nullptr);
  demand_tls(mysql_, options.tls);
  if (options.tls.mode == TlsOptions::Mode::verify_identity && !options.tls.host.empty()) host_ = options.tls.host;  // what the certificate names
  // Not yet: the owner is still being built. The first step is taken from the loop.
  loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) advance(-1);
  });
}

LoginAttempt::~LoginAttempt() {
  unwind();
  if (mysql_ != nullptr) mysql_close(mysql_);
}

void LoginAttempt::on_ready(Interest ready) {
  int events = (wants(ready, Interest::read) ? MYSQL_WAIT_READ : 0) | (wants(ready, Interest::write) ? MYSQL_WAIT_WRITE : 0);
  events &= waiting_for_;
  advance(events == 0 ? waiting_for_ & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE) : events);
}

void LoginAttempt::advance(int events) {
  if (watched_ >= 0) {  // the library may close it
    loop_.unwatch(watched_);
    watched_ = -1;
  }
  const char* schema = options_.schema.empty() ? nullptr : options_.schema.c_str();
  waiting_for_ = events < 0 ? mysql_real_connect_start(&connected_, mysql_, host_.c_str(), options_.user.c_str(),
                                                       options_.password.c_str(), schema, address_.port, nullptr,
                                                       CLIENT_MULTI_STATEMENTS | CLIENT_MULTI_RESULTS)
                            : mysql_real_connect_cont(&connected_, mysql_, events);
  if (waiting_for_ != 0) return wait_for(waiting_for_);
  finish();
}

void LoginAttempt::wait_for(int events) {
  Interest interest = (events & MYSQL_WAIT_WRITE) != 0 ? ((events & MYSQL_WAIT_READ) != 0 ? Interest::both : Interest::write)
                                                       : Interest::read;
  watched_ = static_cast<int>(mysql_get_socket(mysql_));
  loop_.watch(watched_, interest, *this);
}

void LoginAttempt::finish() {
  Done done = std::move(done_);
  if (connected_ == nullptr) return done(failure());
  LoggedIn result;
  result.capabilities = negotiated(mysql_);
  result.server_version = mysql_get_server_info(mysql_);
  result.server_thread = static_cast<std::uint32_t>(mysql_thread_id(mysql_));
  result.address = address_;
  if (mysql_->net.compress) result.transport = LoggedIn::Transport::compressed;
  bool is_tls = mysql_get_ssl_cipher(mysql_) != nullptr;
  using Mode = TlsOptions::Mode;
  if (!is_tls && (options_.tls.mode == Mode::required || options_.tls.mode == Mode::verify_identity))
    return done(ConnectFailed{ConnectFailed::Kind::denied, 0, options_.name + ": has no TLS, which ssl-mode demands; enable it there, or give --…-ssl-mode preferred"});
  if (is_tls) {
    result.tls = TlsStream::take_from(mysql_, result.fd);
    prepare_socket(result.fd);
  } else {
    result.fd = take_socket(mysql_);
  }
  mysql_ = nullptr;
  if (result.fd < 0)
    return done(ConnectFailed{ConnectFailed::Kind::refused, 0, options_.name + ": no file descriptors left for a connection; raise ulimit -n"});
  done(std::move(result));
}

// A suspended call holds memory on its own stack: told of a time-out it cleans up after itself.
void LoginAttempt::unwind() {
  if (watched_ >= 0) loop_.unwatch(watched_);
  watched_ = -1;
  for (int i = 0; waiting_for_ != 0 && i < unwind_rounds; ++i)
    waiting_for_ = mysql_real_connect_cont(&connected_, mysql_, MYSQL_WAIT_TIMEOUT);
}

ConnectFailed LoginAttempt::give_up() {
  bool had_peer = waiting_for_ != 0 && has_peer(static_cast<int>(mysql_get_socket(mysql_)));
  unwind();
  std::string limit = std::to_string(options_.connect_timeout.count()) + " ms";
  if (had_peer)
    return {ConnectFailed::Kind::mute, 0, options_.name + ": accepts connections but does not answer as a MySQL server within " +
                                              limit + "; check the port, and whether the server is frozen"};
  return {ConnectFailed::Kind::timed_out, 0, options_.name + ": no connection within " + limit + "; check the address and the firewall"};
}

ConnectFailed LoginAttempt::failure() const {
  unsigned code = mysql_errno(mysql_);
  std::string text = mysql_error(mysql_);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  using Kind = ConnectFailed::Kind;
  auto answer = [&](Kind kind, const std::string& remedy) {
    return ConnectFailed{kind, static_cast<std::uint16_t>(code), options_.name + ": " + text + "; " + remedy};
  };
  switch (code) {
    case CR_CONNECTION_ERROR: case CR_CONN_HOST_ERROR: case CR_IPSOCK_ERROR:
      return answer(Kind::refused, "check that the server runs and listens there");
    case CR_UNKNOWN_HOST:
      return answer(Kind::unknown_host, "check the name in the URL");
    case ER_CON_COUNT_ERROR: case ER_TOO_MANY_USER_CONNECTIONS: case ER_USER_LIMIT_REACHED:
      return answer(Kind::full, "raise max_connections there, or lower the number of sessions");
    case ER_ACCESS_DENIED_ERROR: case ER_ACCESS_DENIED_NO_PASSWORD_ERROR: case ER_DBACCESS_DENIED_ERROR: case ER_BAD_DB_ERROR:
      return answer(Kind::denied, "check user, password (--defaults-file or DARKTAP_TARGET_PASSWORD and its like) and schema");
    case CR_SSL_CONNECTION_ERROR:
      return answer(Kind::denied, "check the TLS options (--…-ssl-mode, -ca, -cert, -key) and the server's certificate");
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
      return answer(Kind::denied, "give the user a password by mysql_native_password, caching_sha2_password or ed25519");
    default:
      if (code >= CR_MIN_ERROR && code <= CR_MAX_ERROR) return answer(Kind::broken, "check that a MySQL server listens there");
      return answer(Kind::denied, "the server refuses this login");
  }
}

}  // namespace darktap::client
