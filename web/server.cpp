// The only file that knows Beast and Asio (each including file costs seconds and hundreds of megabytes to compile).
#include <utility>

#include "web/server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <charconv>
#include <optional>
#include <set>
#include <thread>

#include "base/expected.h"
#include "request.h"
#include "store/store.h"

namespace darktap::web {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = boost::asio::ip::tcp;

namespace {

tcp::endpoint parse_listen(const std::string& listen) {
  auto refuse = [&](const std::string& why) { return Failure(FailureKind::usage, "--listen " + listen + ": " + why); };
  std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) throw refuse("give ADDRESS:PORT, e.g. 127.0.0.1:8380");
  std::string_view host = std::string_view(listen).substr(0, colon), digits = std::string_view(listen).substr(colon + 1);
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) throw refuse("'" + std::string(digits) + "' is no port");
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  beast::error_code no_address;
  asio::ip::address address = asio::ip::make_address(std::string(host), no_address);
  if (no_address) throw refuse("'" + std::string(host) + "' is no address; give a loopback one, e.g. 127.0.0.1:8380");
  // Only the addresses whose names the guard knows.
  if (address != asio::ip::address_v4::loopback() && address != asio::ip::address_v6::loopback()) {
    throw refuse("without accounts the page binds loopback only; give 127.0.0.1:PORT, and reach it from elsewhere by ssh -L");
  }
  return {address, port};
}

std::string_view text(beast::string_view view) { return {view.data(), view.size()}; }

template <class Fields>
std::string_view field(const Fields& fields, beast::string_view name) {
  return text(fields[name]);
}

// A header that stands twice may mean one thing to us and another to who is in between: such a request is no request.
bool is_ambiguous(const http::request<http::string_body>& request) {
  for (const char* name : {"Host", "Origin", "Sec-Fetch-Site", "X-Darktap-Token"}) {
    if (request.count(name) > 1) return true;
  }
  return request.target().empty() || request.target().front() != '/';
}

struct Shared {
  ServerOptions options;
  Guard guard;
  TriageApi api;
  std::size_t connections = 0;
};

// One connection: a request, its answer, the next. Lives by the handlers that hold it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) { ++shared_.connections; }
  ~Connection() { --shared_.connections; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The first byte may take as long as a connection may idle; from then on a request has its own time.
  void wait_for_request() {
    stream_.expires_after(shared_.options.idle_timeout);
    if (buffer_.size() > 0) return read_request();
    stream_.async_read_some(buffer_.prepare(1), [self = shared_from_this()](beast::error_code error, std::size_t bytes) {
      self->buffer_.commit(bytes);
      if (!error) self->read_request();
    });
  }

 private:
  void read_request() {
    stream_.expires_after(shared_.options.request_timeout);
    parser_.emplace();
    parser_->header_limit(shared_.options.header_limit);
    parser_->body_limit(shared_.options.body_limit);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_request(error); });
  }

  void on_request(beast::error_code error) {
    if (error == http::error::end_of_stream || error == beast::error::timeout) return close();
    if (error == http::error::body_limit) return answer_and_close(http::status::payload_too_large, "The request's body is too large.\n");
    if (error == http::error::header_limit) return answer_and_close(http::status::request_header_fields_too_large, "The request's head is too large.\n");
    if (error || is_ambiguous(parser_->get())) return answer_and_close(http::status::bad_request, "This is no request.\n");
    http::request<http::string_body> request = parser_->release();
    HttpResponse made = respond(shared_.guard, shared_.api,
                                {.method = text(request.method_string()), .target = text(request.target()), .host = field(request, "Host"),
                                 .origin = field(request, "Origin"), .fetch_site = field(request, "Sec-Fetch-Site"),
                                 .cookie = field(request, "Cookie"), .token_header = field(request, "X-Darktap-Token"),
                                 .content_type = field(request, "Content-Type"), .body = std::move(request.body())});
    send(made, request.keep_alive());
  }

  void answer_and_close(http::status status, const char* line) {
    send({.status = static_cast<unsigned>(status), .content_type = "text/plain; charset=utf-8", .body = line, .headers = {}}, false);
  }

  void send(const HttpResponse& made, bool keep_alive) {
    response_ = {};
    response_.version(11);
    response_.result(made.status);
    response_.set(http::field::content_type, made.content_type);
    for (const auto& [name, value] : standing_headers()) response_.set(name, value);
    for (const auto& [name, value] : made.headers) response_.insert(name, value);
    response_.body() = made.body;
    response_.keep_alive(keep_alive);
    response_.prepare_payload();
    stream_.expires_after(shared_.options.request_timeout);
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error) return;
      if (self->response_.keep_alive()) self->wait_for_request();
      else self->close();
    });
  }

  void close() {
    beast::error_code none;
    stream_.socket().shutdown(tcp::socket::shutdown_send, none);
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  Shared& shared_;
};

}  // namespace

struct Server::State {
  explicit State(const ServerOptions& options) : endpoint(parse_listen(options.listen)), acceptor(context) {
    beast::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      throw Failure(FailureKind::environment, "--listen " + options.listen + ": can't be bound (" + error.message() +
                                                  "); end what holds the port or give another, e.g. --listen 127.0.0.1:0 for any free one");
    }
    endpoint = acceptor.local_endpoint();
    token = random_token();
    shared.emplace(Shared{options, Guard(token, endpoint.port()), TriageApi(options.store)});
  }

  void accept() {
    acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error && shared->connections < shared->options.connection_limit) {
        std::make_shared<Connection>(std::move(socket), *shared)->wait_for_request();
      }
      if (error) return retry_later();  // e.g. no file descriptor left: a moment's pause, not a spin
      accept();
    });
  }

  void retry_later() {
    pause.expires_after(std::chrono::milliseconds(200));
    pause.async_wait([this](beast::error_code error) {
      if (!error) accept();
    });
  }

  // Declared in the order of need: connections hold `shared`, and die with the context.
  tcp::endpoint endpoint;
  std::string token;
  std::optional<Shared> shared;
  asio::io_context context{1};
  tcp::acceptor acceptor;
  asio::steady_timer pause{context};
  std::thread thread;
};

Server::Server(const ServerOptions& options) : state_(std::make_unique<State>(options)) {}

Server::~Server() { stop(); }

void Server::start() {
  store::StoreReader(state_->shared->options.store).latest_run();  // a store that can't be read is said now, not on the page
  state_->accept();
  state_->thread = std::thread([state = state_.get()] { state->context.run(); });
}

void Server::stop() {
  state_->context.stop();
  if (state_->thread.joinable()) state_->thread.join();
}

std::string Server::url() const {
  std::string host = state_->endpoint.address().is_v6() ? "[::1]" : "127.0.0.1";
  return "http://" + host + ":" + std::to_string(state_->endpoint.port()) + "/?token=" + state_->token;
}

}  // namespace darktap::web
