#include "tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include <mysql.h>
using uchar = unsigned char;  // the library's headers expect both
#define HAVE_TLS 1
#include <ma_pvio.h>
#include <ma_tls.h>

namespace darktap::client {

TlsStream TlsStream::take_from(MYSQL* mysql, int& fd) {
  fd = static_cast<int>(mysql_get_socket(mysql));
  // The library's layers around the session: without them its close is silent, and the session lives on.
  MARIADB_PVIO* layer = std::exchange(mysql->net.pvio, nullptr);
  SSL* ssl = static_cast<SSL*>(layer->ctls->ssl);
  mysql_close(mysql);
  std::free(layer->ctls);
  std::free(layer->cache);
  std::free(layer->data);
  std::free(layer);
  SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  return TlsStream(ssl);
}

void TlsStream::Free::operator()(SSL* ssl) const {
  SSL_set_quiet_shutdown(ssl, 1);
  SSL_free(ssl);
  ERR_clear_error();
}

ssize_t TlsStream::send(const void* bytes, std::size_t size) {
  std::size_t done = 0;
  ERR_clear_error();
  int result = SSL_write_ex(ssl_.get(), bytes, size, &done);
  return result > 0 ? static_cast<ssize_t>(done) : failed(result);
}

ssize_t TlsStream::receive(void* bytes, std::size_t size) {
  std::size_t done = 0;
  ERR_clear_error();
  int result = SSL_read_ex(ssl_.get(), bytes, size, &done);
  return result > 0 ? static_cast<ssize_t>(done) : failed(result);
}

ssize_t TlsStream::failed(int result) const {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: case SSL_ERROR_WANT_WRITE:
      errno = EAGAIN;
      return -1;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_SYSCALL:
      if (errno == 0) return 0;  // closed without TLS's goodbye, as servers do
      return -1;
    default: {
      // OpenSSL 3 tells a plain end of the stream as a protocol error.
      bool is_end = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
      ERR_clear_error();
      errno = EPROTO;
      return is_end ? 0 : -1;
    }
  }
}

bool TlsStream::has_pending() const { return SSL_pending(ssl_.get()) > 0; }

}  // namespace darktap::client
