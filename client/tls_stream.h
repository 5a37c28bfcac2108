// A TLS session that the client library has begun, taken over from it with its socket.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>

struct ssl_st;
struct st_mysql;

namespace darktap::client {

class TlsStream {
 public:
  // Takes session and socket out of a handle that has just logged in, and closes the handle, which says nothing to the
  // server any more. `fd` is the caller's afterwards.
  static TlsStream take_from(st_mysql* mysql, int& fd);

  // As send(2) and recv(2) on a non-blocking socket: -1 with EAGAIN where it must wait, 0 at the stream's end.
  ssize_t send(const void* bytes, std::size_t size);
  ssize_t receive(void* bytes, std::size_t size);
  // Decrypted bytes that no readiness of the socket will announce.
  bool has_pending() const;

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  explicit TlsStream(ssl_st* ssl) : ssl_(ssl) {}
  ssize_t failed(int result) const;
  std::unique_ptr<ssl_st, Free> ssl_;
};

}  // namespace darktap::client
