#include "client/connection.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "compression.h"
#include "answer_storage.h"
#include "framing.h"
#include "login.h"

namespace darktap::client {
namespace {

constexpr std::size_t read_size = 64U << 10;
constexpr std::size_t longest_frame = 0xffffff;  // and one of just this length goes on in the next
constexpr std::size_t kept_buffer = 16U << 10;  // an idle connection keeps no larger buffer than this

std::size_t growth(std::size_t missing) { return std::min(std::max(missing, read_size), std::size_t{1} << 20); }

Endpoint to_endpoint(const sockaddr_storage& address) {
  Endpoint endpoint;
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &v4.sin_addr, 4);
    endpoint = {IpAddress::from_v4(bytes), ntohs(v4.sin_port)};
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(endpoint.address.bytes.data(), &v6.sin6_addr, 16);
    endpoint.port = ntohs(v6.sin6_port);
  }
  return endpoint;
}

// MariaDB reports progress of long statements in the shape of an error with this impossible code.
bool is_progress(Bytes message) {
  return message.size() >= 3 && message[0] == std::byte{0xff} && message[1] == std::byte{0xff} && message[2] == std::byte{0xff};
}

}  // namespace

struct Connection::Impl final : Watcher {
  Impl(Connection& self_, EventLoop& loop_, ConnectionHandler& handler_, const ConnectOptions& options_)
      : self(self_), loop(loop_), handler(handler_), options(options_), frames(options_.message_bytes) {
    deadline = EventLoop::Clock::now() + options.connect_timeout;
    set_timer();
    if (options.addresses.empty()) {
      loop.cancel(timer);
      timer = loop.after({}, [this] {
        fail_connect({ConnectFailed::Kind::unknown_host, 0, options.name + ": has no address; check the name in the URL"});
      });
    } else {
      try_next_address();
    }
  }
  ~Impl() override {
    if (state == State::idle && unsent() == 0) say_quit();
    close_socket();
    loop.cancel(timer);
  }

  // Login

  void try_next_address() {
    login.emplace(loop, options, options.addresses[tried], [this](LoginAttempt::Result&& result) { on_login(std::move(result)); });
  }

  void on_login(LoginAttempt::Result&& result) {
    if (auto* failure = std::get_if<ConnectFailed>(&result)) {
      bool elsewhere = failure->kind == ConnectFailed::Kind::refused && tried + 1 < options.addresses.size();
      if (!elsewhere) return fail_connect(std::move(*failure));
      ++tried;
      return try_next_address();
    }
    LoggedIn logged_in = std::move(std::get<LoggedIn>(result));
    login.reset();
    fd = logged_in.fd;
    tls = std::move(logged_in.tls);
    if (logged_in.transport == LoggedIn::Transport::compressed) {
      compressed.emplace();
      frames.expect_any();
    }
    capabilities = logged_in.capabilities;
    server_version = std::move(logged_in.server_version);
    server_thread = logged_in.server_thread;
    address = logged_in.address;
    std::string().swap(options.password);
    loop.watch(fd, Interest::read, *this);
    state = State::idle;
    deadline = EventLoop::Clock::time_point::max();
    handler.on_connected(self);
  }

  void fail_connect(ConnectFailed failure) {
    state = State::dead;
    loop.cancel(timer);
    login.reset();
    handler.on_connect_failed(self, failure);
  }

  // Time-outs: one lazy timer a connection, not one a statement.

  void on_timer() {
    timer = {};
    if (deadline == EventLoop::Clock::time_point::max()) return;
    if (EventLoop::Clock::now() < deadline) return set_timer();
    if (state == State::connecting) return fail_connect(login->give_up());
    lose(Lost::Kind::timed_out, "no answer within " + std::to_string(answer_limit.count()) + " ms");
  }

  void set_timer() {
    timer_time = deadline;
    timer = loop.at(deadline, [this] { on_timer(); });
  }

  void arm(std::chrono::milliseconds limit) {
    answer_limit = limit;
    deadline = EventLoop::Clock::now() + limit;
    if (timer.value != 0 && timer_time <= deadline) return;
    loop.cancel(timer);
    set_timer();
  }

  // The wire, plain or within TLS

  ssize_t write_some(const void* bytes, std::size_t size) { return tls ? tls->send(bytes, size) : ::send(fd, bytes, size, MSG_NOSIGNAL); }

  ssize_t read_some(std::byte* bytes, std::size_t size) {
    if (!compressed) return read_wire(bytes, size);
    while (compressed->ready() == 0) {
      thread_local std::array<std::byte, read_size> packed;
      ssize_t got = read_wire(packed.data(), packed.size());
      if (got <= 0) return got;
      if (!compressed->unpack(Bytes(packed).first(static_cast<std::size_t>(got)))) {
        errno = EPROTO;
        return -1;
      }
    }
    return static_cast<ssize_t>(compressed->take(bytes, size));
  }
  // Bytes that no readiness of the socket will announce.
  bool has_pending() const { return (compressed && compressed->ready() > 0) || (tls && tls->has_pending()); }

  // Of a TLS session all that is decrypted, since the socket won't announce it again.
  ssize_t read_wire(std::byte* bytes, std::size_t size) {
    if (!tls) return ::recv(fd, bytes, size, 0);
    ssize_t got = tls->receive(bytes, size);
    while (got > 0 && static_cast<std::size_t>(got) < size && tls->has_pending()) {
      ssize_t more = tls->receive(bytes + got, size - static_cast<std::size_t>(got));
      if (more <= 0) break;
      got += more;
    }
    return got;
  }

  // Sending

  std::size_t unsent() const { return out.size() - out_sent; }

  void queue(mysql::CommandCode code, Bytes payload) {
    std::byte head{static_cast<std::uint8_t>(code)};
    sequence = 0;
    if (compressed) compressed->restart();
    append(Bytes(&head, 1), payload);
  }

  void append(Bytes head, Bytes payload) {
    if (!compressed) return append_frames(out, sequence, head, payload);
    std::vector<std::byte> plain;
    append_frames(plain, sequence, head, payload);
    compressed->pack(plain, out);
  }

  void flush() {
    while (unsent() > 0) {
      ssize_t sent = write_some(out.data() + out_sent, unsent());
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return loop.change(fd, Interest::both);
      if (sent < 0) break;  // the end of the stream, or its error, is read next
      out_sent += static_cast<std::size_t>(sent);
    }
    out.clear();
    out_sent = 0;
    if (out.capacity() > kept_buffer) std::vector<std::byte>().swap(out);
    loop.change(fd, Interest::read);
  }

  void say_quit() {
    constexpr std::array<unsigned char, 5> quit{1, 0, 0, 0, 1};
    Bytes bytes = std::as_bytes(std::span(quit));
    std::vector<std::byte> packed;
    if (compressed) {
      compressed->restart();
      compressed->pack(bytes, packed);
      bytes = packed;
    }
    [[maybe_unused]] ssize_t sent = write_some(bytes.data(), bytes.size());
  }

  // Receiving

  void on_ready(Interest ready) override {
    if (wants(ready, Interest::write) && unsent() > 0) flush();
    if (wants(ready, Interest::read)) receive();
  }

  void receive() {
    // Most answers come whole: they are decoded from a buffer that all connections of the thread share.
    thread_local std::array<std::byte, read_size> buffer;
    std::size_t kept = in.size();
    Bytes bytes;
    ssize_t got;
    if (kept == 0) {
      got = read_some(buffer.data(), buffer.size());
      if (got > 0) bytes = Bytes(buffer).first(static_cast<std::size_t>(got));
    } else {
      in.resize(kept + growth(frames.missing()));
      got = read_some(in.data() + kept, in.size() - kept);
      in.resize(kept + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      bytes = in;
    }
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (got < 0) return lose(Lost::Kind::closed, std::string("connection lost: ") + std::strerror(errno));
    if (got == 0) return lose(Lost::Kind::closed, "the server closed the connection");

    CaptureTime now = CaptureClock::now();
    if (state == State::idle) return on_unasked(bytes);
    if (reply.response_bytes == 0) reply.first_byte = now;
    reply.response_bytes += static_cast<std::uint64_t>(got);
    Progress progress = decode(bytes);
    keep(bytes, kept == 0);
    if (progress == Progress::malformed) return lose(Lost::Kind::malformed, "an answer that can't be read: " + problem);
    if (progress == Progress::done) return finish(now);
    if (has_pending()) receive();
  }

  // What was not decoded yet waits for the rest.
  void keep(Bytes rest, bool from_shared) {
    if (from_shared) {
      in.assign(rest.begin(), rest.end());
    } else {
      in.erase(in.begin(), in.end() - static_cast<std::ptrdiff_t>(rest.size()));
    }
    if (in.empty() && in.capacity() > kept_buffer) std::vector<std::byte>().swap(in);
  }

  enum class Progress : std::uint8_t { more, done, malformed };

  Progress decode(Bytes& bytes) {
    const Bytes whole = bytes;
    std::uint8_t header_frames = 0;
    bool learns = std::exchange(is_begun, true) == false && !take_known_header(bytes);
    Bytes message;
    for (;;) {
      if (decoder->in_rows() && frames.is_between_messages()) take_rows(bytes);
      switch (frames.next(bytes, message)) {
        case FrameReader::Step::more: return Progress::more;
        case FrameReader::Step::malformed: problem = frames.problem(); return Progress::malformed;
        case FrameReader::Step::message: break;
      }
      if (is_progress(message)) {
        learns = false;
        continue;
      }
      const mysql::ResponseDecoder::Step step = decoder->feed(message);
      if (learns) learns = learn_header(whole.first(whole.size() - bytes.size()), ++header_frames);
      switch (step) {
        case mysql::ResponseDecoder::Step::more: break;
        case mysql::ResponseDecoder::Step::done: return Progress::done;
        case mysql::ResponseDecoder::Step::malformed: problem = decoder->problem(); return Progress::malformed;
        case mysql::ResponseDecoder::Step::send_file: refuse_file(); break;
      }
    }
  }

  // Most answers begin as an earlier one did: their definitions are known, and shared.
  bool take_known_header(Bytes& bytes) {
    const mysql::KnownHeaders::Known* known = of_this_thread().headers.find(bytes, decoder->header_kind());
    if (known == nullptr || !decoder->take_header(known->header)) return false;
    bytes = bytes.subspan(known->frames.size());
    frames.expect(static_cast<std::uint8_t>(frames.sequence() + known->frame_count));
    return true;
  }

  // One that came at once, as far as it was read; false where there is nothing more to learn.
  bool learn_header(Bytes read, std::uint8_t frame_count) {
    if (read.size() > mysql::KnownHeaders::longest) return false;
    if (decoder->in_first_header()) return true;
    if (auto header = decoder->first_header()) of_this_thread().headers.remember({{read.begin(), read.end()}, frame_count, decoder->header_kind(), *std::move(header)});
    return false;
  }

  void take_rows(Bytes& bytes) {
    const mysql::ResponseDecoder::RowRun run = decoder->take_rows(bytes, frames.sequence(), std::min(longest_frame, options.message_bytes));
    if (run.bytes == 0) return;
    bytes = bytes.subspan(run.bytes);
    frames.expect(run.next_sequence);
  }

  // LOCAL INFILE: an empty message says that there is no file, whatever name the server asked for.
  void refuse_file() {
    reply.infile = Reply::Infile::refused;
    sequence = frames.sequence();
    append({}, {});
    frames.expect(sequence);
    flush();
  }

  void finish(CaptureTime now) {
    reply.last_byte = now;
    if (in_flight == mysql::CommandCode::stmt_prepare) reply.prepared_columns = decoder->prepared_columns();
    decoder->take_answer(reply.answer);
    of_this_thread().give_back(std::move(decoder));
    state = State::idle;
    deadline = EventLoop::Clock::time_point::max();
    handler.on_reply(self, std::move(reply));
  }

  // A server speaks unasked only to say goodbye: "connection was killed", "shutdown in progress".
  void on_unasked(Bytes bytes) {
    ByteReader reader(bytes);
    reader.skip(4);
    if (reader.u8() != 0xff) return lose(Lost::Kind::malformed, "the server sent bytes that nothing had asked for");
    std::uint16_t code = reader.u16le();
    if (reader.peek() == '#') reader.skip(6);
    lose(Lost::Kind::closed, "the server closed the connection: " + std::to_string(code) + " " + std::string(as_text(reader.rest())));
  }

  void lose(Lost::Kind kind, const std::string& what) {
    close_socket();
    loop.cancel(timer);
    timer = {};
    state = State::dead;
    decoder.reset();
    handler.on_lost(self, Lost{kind, options.name + ": " + what});
  }

  void close_socket() {
    if (fd < 0) return;
    loop.unwatch(fd);
    tls.reset();
    ::close(fd);
    fd = -1;
  }

  Connection& self;
  EventLoop& loop;
  ConnectionHandler& handler;
  ConnectOptions options;
  State state = State::connecting;
  std::optional<LoginAttempt> login;
  std::size_t tried = 0;  // index into the addresses

  int fd = -1;
  std::optional<TlsStream> tls;
  std::optional<CompressedStream> compressed;
  mysql::Capabilities capabilities = 0;
  std::string server_version;
  std::uint32_t server_thread = 0;
  Endpoint address;

  EventLoop::TimerId timer;
  EventLoop::Clock::time_point deadline, timer_time;
  std::chrono::milliseconds answer_limit{};
  std::vector<std::byte> in, out;
  std::size_t out_sent = 0;
  std::uint8_t sequence = 0;
  FrameReader frames;
  std::unique_ptr<mysql::ResponseDecoder> decoder;  // of the command in flight
  mysql::CommandCode in_flight{};                   // which is this one
  bool is_begun = false;                            // something of its answer was read
  Reply reply;
  std::string problem;
};

Connection::Connection(EventLoop& loop, ConnectionHandler& handler, const ConnectOptions& options)
    : impl_(std::make_unique<Impl>(*this, loop, handler, options)) {}
Connection::~Connection() = default;

Connection::State Connection::state() const { return impl_->state; }

void Connection::send(mysql::CommandCode code, Bytes payload, const mysql::Columns& prepared_columns,
                      std::chrono::milliseconds limit) {
  if (impl_->state == State::dead) return;  // on_lost has told or is about to
  impl_->reply = Reply{};
  bool may_leave_out = (impl_->capabilities & mysql::capability::mariadb_cache_metadata) != 0;
  impl_->decoder = of_this_thread().take();
  impl_->decoder->restart(code, impl_->capabilities, impl_->options.kept, may_leave_out ? prepared_columns : mysql::Columns());
  impl_->in_flight = code;
  impl_->is_begun = false;
  impl_->queue(code, payload);
  impl_->frames.expect(impl_->sequence);
  impl_->state = State::busy;
  impl_->arm(limit.count() == 0 ? impl_->options.statement_timeout : limit);
  impl_->reply.sent = CaptureClock::now();
  impl_->flush();
}

void Connection::send_unanswered(mysql::CommandCode code, Bytes payload) {
  if (impl_->state != State::idle) return;
  impl_->queue(code, payload);
  impl_->flush();
}

mysql::Capabilities Connection::capabilities() const { return impl_->capabilities; }
const std::string& Connection::server_version() const { return impl_->server_version; }
std::uint32_t Connection::server_thread() const { return impl_->server_thread; }
bool Connection::is_compressed() const { return impl_->compressed.has_value(); }
const Endpoint& Connection::address() const { return impl_->address; }

Endpoint Connection::local_endpoint() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (impl_->fd < 0 || getsockname(impl_->fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return to_endpoint(address);
}

}  // namespace darktap::client
