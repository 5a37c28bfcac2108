// One connection's TLS, both directions: records in, what they protected out, as far as a key log has its secrets. Secrets
// may come after the packets: until then a bounded number of bytes is held. After lost bytes the next record is found by
// its looks, and its number by trying: the AEAD's tag proves the guess.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/stream.h"
#include "frames.h"
#include "tls_crypto.h"
#include "tls_handshake.h"

namespace darktap::mysql {

class TlsSink {
 public:
  virtual ~TlsSink() = default;
  // What one record protected; `first` and `last` stamp the record's ends.
  virtual void on_plain(Direction direction, Bytes plain, const Stamp& first, const Stamp& last) = 0;
  virtual void on_plain_gap(Direction direction, std::uint64_t length, const Stamp& behind) = 0;
};
// Longer than any message: how much was lost is unknown.
inline constexpr std::uint64_t unknown_gap = std::uint64_t{1} << 48;

struct TlsLimits {
  std::size_t held_bytes = std::size_t{1} << 20;      // of a connection whose secrets have not come yet
  std::chrono::seconds held_time{10};                 // … and how long, by the packets' time
  std::uint64_t lost_records = 1U << 16;              // record numbers tried behind a hole
  std::size_t tried_sessions = 1024;                  // of the key log, the newest, where the ClientHello was lost
  std::size_t search_bytes = std::size_t{64} << 20;   // … and bytes decrypted for it, a record
};

class TlsSession {
 public:
  // `keys` may be null: then the session is only named. It outlives the session.
  TlsSession(TlsSink& sink, KeyLog* keys, const TlsLimits& limits = {});
  ~TlsSession();

  void feed(Direction direction, Bytes bytes, const Stamp& stamp);
  void gap(Direction direction, std::uint64_t length, const Stamp& behind);
  // The last chance for secrets to be there.
  void finish();

  // Why it is not read; empty while it is, or may be.
  const std::string& why_opaque() const { return why_; }
  std::uint64_t opaque_bytes() const { return opened_ ? total_ - understood_ : total_; }
  // "TLS 1.3", as far as it is known.
  std::string name() const;
  std::size_t memory() const;

  static constexpr std::size_t header_bytes = RecordOpener::header_bytes;
  static constexpr std::size_t longest_record = header_bytes + (1U << 14) + 2048;  // RFC 5246 §6.2.3

 private:
  struct Half {
    enum class Form : std::uint8_t { clear, sealed } form = Form::clear;
    // TLS 1.3: 0 the handshake's, 1 the first application secret, each KeyUpdate one more.
    std::uint32_t epoch = 0;
    std::optional<RecordOpener> opener;  // of this epoch
    SecretBytes traffic_secret;          // of this epoch, from 1 on
    std::uint64_t number = 0;            // of the next record
    // Records that may have been missed before the next one: what its number may be too high by.
    std::uint64_t slack = 0, least = 0;
    std::optional<std::pair<std::uint64_t, std::uint64_t>> nonce;  // the last record's explicit nonce and its number
    std::uint32_t failures = 0;          // in a row
    bool gap_due = false;                // application data may have been lost, and the sink doesn't know

    // The record in progress.
    std::vector<std::byte> record;
    std::uint64_t missing = 0;           // of its bytes
    Stamp first, last;
    bool waits = false;                  // it is whole, and its secrets are not there

    // Where records begin is unknown: what came since.
    bool lost = false;
    std::uint64_t lost_bytes = 0;
    std::vector<std::byte> searched;
    std::vector<std::pair<std::size_t, Stamp>> stamps;  // from which byte of `searched` on
    HandshakeReader handshake;
  };
  struct Held {
    Direction direction{};
    std::vector<std::byte> bytes;
    std::uint64_t gap = 0;
    Stamp stamp;
  };
  enum class Outcome : std::uint8_t { done, failed, wait };

  Half& half(Direction direction) { return halves_[index(direction)]; }
  void run(Direction direction, Bytes bytes, const Stamp& stamp);
  void run_gap(Direction direction, std::uint64_t length, const Stamp& behind);
  void collect(Direction direction, Bytes& bytes, const Stamp& stamp);
  void search(Direction direction, const Stamp& stamp);
  Outcome on_record(Direction direction, Bytes record, const Stamp& first, const Stamp& last);
  Outcome on_clear(Direction direction, Bytes record);
  Outcome on_sealed(Direction direction, Bytes record, const Stamp& first, const Stamp& last);
  void on_damaged(Direction direction, const Stamp& last);
  void on_handshake(Direction direction);
  void on_server_hello(const ServerHello& hello);
  void lose(Direction direction, std::uint64_t length, const Stamp& behind);
  bool hello_is_missing(Direction direction);
  bool loses_application_data(const Half& half) const;
  void note_gap(Direction direction, const Stamp& behind);

  // tls_opening.cpp: which keys, which number.
  Outcome unseal(Direction direction, Bytes record, std::uint8_t& type);
  Outcome identify(Direction direction, Bytes record, std::uint8_t& type);
  Outcome unseal_without_suite(Direction direction, Bytes record, std::uint8_t& type);
  bool try_epoch(Half& half, RecordOpener opener, std::uint32_t epoch, SecretBytes secret, std::uint64_t from, std::uint64_t slack, Bytes record, std::uint8_t& type);
  bool try_numbers(RecordOpener& opener, std::uint64_t from, std::uint64_t slack, Bytes record, std::uint64_t& number, std::uint8_t& type);
  void opened(Half& half, Bytes record, std::uint64_t number);
  Bytes secret(Direction direction, std::uint32_t epoch) const;
  Outcome prepare(Direction direction);
  void next_epoch(Direction direction);
  void start_application(Direction direction);

  void wait_for(Direction direction, CaptureTime time);
  void hold(Held piece);
  void hold_rest(Direction direction, Bytes bytes, const Stamp& stamp);
  void retry();
  void give_up(const std::string& why);
  void forget_if_given_up();

  TlsSink& sink_;
  KeyLog* keys_;
  TlsLimits limits_;
  std::array<Half, 2> halves_;
  std::optional<ClientRandom> client_random_;
  ClientRandom server_random_{};
  std::optional<TlsVersion> version_;
  std::optional<Suite> suite_;
  bool server_hello_lost_ = false, client_hello_lost_ = false;
  std::vector<std::byte> plain_;

  bool waiting_ = false;
  Direction waits_for_{};
  std::deque<Held> held_;
  std::size_t held_bytes_ = 0;
  CaptureTime held_since_;
  std::uint64_t seen_version_ = 0;

  std::string why_;
  std::uint64_t total_ = 0, understood_ = 0;
  bool opened_ = false;
};

}  // namespace darktap::mysql
