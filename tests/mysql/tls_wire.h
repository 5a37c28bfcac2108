// MySQL conversations inside real TLS: two ends of OpenSSL's own implementation in memory, their packets and their key log.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "wire.h"

namespace wire {

struct Packet {
  Direction direction{};
  std::string bytes;
};

struct TlsSetup {
  int version = TLS1_3_VERSION;
  std::string suites;              // empty: what the library prefers
  std::string client_groups, server_groups;
  std::size_t padding = 0;         // TLS 1.3: records are padded to a multiple of it
  std::size_t queries = 12;
  std::size_t large_row = 0;       // bytes of one row in each third answer
  enum class Midway : std::uint8_t { nothing, key_update, renegotiation } midway = Midway::nothing;
  mysql::Capabilities extra = 0;  // of both sides
};

class TlsConversation {
 public:
  std::vector<Packet> packets;
  std::string key_log;
  std::vector<std::string> texts;  // of the statements, in order
  std::size_t handshake_end = 0;   // packets up to the first that carries MySQL inside

  explicit TlsConversation(const TlsSetup& setup, SSL_SESSION* resumed = nullptr) : setup_(setup) {
    client_context_.reset(SSL_CTX_new(TLS_client_method()));
    server_context_.reset(SSL_CTX_new(TLS_server_method()));
    use_certificate(server_context_.get());
    for (SSL_CTX* context : {client_context_.get(), server_context_.get()}) prepare(context);
    SSL_CTX_set_keylog_callback(client_context_.get(), [](const SSL* ssl, const char* line) {
      auto* self = static_cast<TlsConversation*>(SSL_get_app_data(ssl));
      self->key_log += std::string(line) + "\n";
    });
    client_ = end(client_context_.get());
    server_ = end(server_context_.get());
    SSL_set_connect_state(client_.get());
    SSL_set_accept_state(server_.get());
    if (resumed != nullptr) SSL_set_session(client_.get(), resumed);
    run();
  }
  TlsConversation(const TlsConversation&) = delete;
  TlsConversation& operator=(const TlsConversation&) = delete;

  bool was_resumed() const { return SSL_session_reused(client_.get()) == 1; }
  std::string suite() const { return SSL_get_cipher_name(client_.get()); }
  std::shared_ptr<SSL_SESSION> session() const { return {SSL_get1_session(client_.get()), &SSL_SESSION_free}; }

 private:
  template <auto Free>
  struct Freeing {
    template <class T>
    void operator()(T* object) const { Free(object); }
  };
  using Context = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>>;
  using End = std::unique_ptr<SSL, Freeing<SSL_free>>;

  static void must(bool good) {
    if (good) return;
    char text[256];
    ERR_error_string_n(ERR_get_error(), text, sizeof(text));
    throw std::runtime_error(text);
  }

  static void use_certificate(SSL_CTX* context) {
    static EVP_PKEY* key = EVP_RSA_gen(2048);
    static X509* certificate = [] {
      X509* made = X509_new();
      ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
      X509_gmtime_adj(X509_getm_notBefore(made), 0);
      X509_gmtime_adj(X509_getm_notAfter(made), 86400);
      X509_set_pubkey(made, key);
      X509_sign(made, key, EVP_sha256());
      return made;
    }();
    must(SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1);
  }

  void prepare(SSL_CTX* context) {
    SSL_CTX_set_security_level(context, 0);
    must(SSL_CTX_set_min_proto_version(context, setup_.version) == 1 && SSL_CTX_set_max_proto_version(context, setup_.version) == 1);
    if (!setup_.suites.empty()) {
      must((setup_.version == TLS1_3_VERSION ? SSL_CTX_set_ciphersuites(context, setup_.suites.c_str())
                                             : SSL_CTX_set_cipher_list(context, setup_.suites.c_str())) == 1);
    }
    SSL_CTX_set_dh_auto(context, 1);
    SSL_CTX_set_options(context, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    const std::string& groups = context == client_context_.get() ? setup_.client_groups : setup_.server_groups;
    if (!groups.empty()) must(SSL_CTX_set1_groups_list(context, groups.c_str()) == 1);
    // Tickets must open in the next conversation's server.
    unsigned char ticket_keys[80] = {7};
    if (context == server_context_.get()) SSL_CTX_set_tlsext_ticket_keys(context, ticket_keys, sizeof(ticket_keys));
    SSL_CTX_set_session_id_context(context, ticket_keys, 4);
  }

  End end(SSL_CTX* context) {
    End made(SSL_new(context));
    SSL_set_app_data(made.get(), this);
    SSL_set_bio(made.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (setup_.padding != 0) SSL_set_block_padding(made.get(), setup_.padding);
    return made;
  }

  // What one end has to send becomes a packet, and reaches the other.
  bool carry(Direction direction) {
    SSL* from = direction == Direction::to_server ? client_.get() : server_.get();
    SSL* to = direction == Direction::to_server ? server_.get() : client_.get();
    char* data = nullptr;
    long size = BIO_get_mem_data(SSL_get_wbio(from), &data);
    if (size <= 0) return false;
    packets.push_back({direction, std::string(data, static_cast<std::size_t>(size))});
    BIO_write(SSL_get_rbio(to), data, static_cast<int>(size));
    BIO_reset(SSL_get_wbio(from));
    return true;
  }
  static void read_all(SSL* ssl) {
    char text[4096];
    while (SSL_read(ssl, text, sizeof(text)) > 0) {}
  }
  void settle() {
    bool moved = true;
    while (moved) {
      if (SSL_in_init(client_.get()) != 0) SSL_do_handshake(client_.get());
      else read_all(client_.get());
      moved = carry(Direction::to_server);
      if (SSL_in_init(server_.get()) != 0) SSL_do_handshake(server_.get());
      else read_all(server_.get());
      moved |= carry(Direction::to_client);
    }
  }
  void say(Direction direction, const std::string& bytes) {
    SSL* from = direction == Direction::to_server ? client_.get() : server_.get();
    must(SSL_write(from, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()));
    carry(direction);
    read_all(direction == Direction::to_server ? server_.get() : client_.get());
  }

  void run() {
    mysql::Capabilities ours = plain_41 | setup_.extra;
    std::uint8_t sequence = 0;
    packets.push_back({Direction::to_client, frames(greeting(ours | capability::ssl), sequence)});
    packets.push_back({Direction::to_server, frames(tls_request(ours), sequence)});
    settle();
    must(SSL_is_init_finished(client_.get()) == 1);
    handshake_end = packets.size();
    say(Direction::to_server, frames(login(ours | capability::ssl), sequence));
    say(Direction::to_client, frames(ok(), sequence));
    // The compressed protocol, with its packets stored.
    auto packed = [&](const std::string& bytes, std::uint8_t number) {
      return (ours & capability::compress) != 0 ? little(bytes.size(), 3) + little(number, 1) + little(0, 3) + bytes : bytes;
    };
    for (std::size_t i = 0; i < setup_.queries; ++i) {
      if (i == setup_.queries / 2) midway();
      texts.push_back("SELECT " + std::to_string(i) + " FROM t");
      sequence = 0;
      say(Direction::to_server, packed(frames(query(texts.back()), sequence), 0));
      std::string value = setup_.large_row != 0 && i % 3 == 2 ? std::string(setup_.large_row, 'x') : std::to_string(i);
      std::string answer;
      for (const std::string& each : {std::string("\x01"), column("c"), eof(), text_row({value}), eof()}) answer += frames(each, sequence);
      say(Direction::to_client, packed(answer, 1));
    }
  }
  void midway() {
    if (setup_.midway == TlsSetup::Midway::key_update) must(SSL_key_update(client_.get(), SSL_KEY_UPDATE_REQUESTED) == 1);
    if (setup_.midway == TlsSetup::Midway::renegotiation) must(SSL_renegotiate(client_.get()) == 1);
    if (setup_.midway != TlsSetup::Midway::nothing) {
      SSL_do_handshake(client_.get());
      settle();
      settle();
    }
  }

  TlsSetup setup_;
  Context client_context_, server_context_;
  End client_, server_;
};

}  // namespace wire
