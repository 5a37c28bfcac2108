// Which keys open a record, and which number it has: known where nothing was lost, else found by trying.
#include <algorithm>

#include "tls_session.h"

namespace darktap::mysql {

Bytes TlsSession::secret(Direction direction, std::uint32_t epoch) const {
  if (keys_ == nullptr || !client_random_) return {};
  bool client = direction == Direction::to_server;
  if (epoch == 0) return keys_->find(*client_random_, client ? SecretLabel::client_handshake : SecretLabel::server_handshake);
  return keys_->find(*client_random_, client ? SecretLabel::client_traffic : SecretLabel::server_traffic);
}

// Makes the opener of the current epoch.
TlsSession::Outcome TlsSession::prepare(Direction direction) {
  Half& from = half(direction);
  if (from.opener) return Outcome::done;
  if (keys_ == nullptr) return Outcome::wait;
  if (version_ == TlsVersion::tls12) {
    Bytes master = keys_->find(*client_random_, SecretLabel::master);
    if (master.empty()) return Outcome::wait;
    SessionKeys keys = derive_tls12(*suite_, master, *client_random_, server_random_);
    from.opener.emplace(*suite_, TlsVersion::tls12, direction == Direction::to_server ? keys.client : keys.server);
    return Outcome::done;
  }
  if (from.epoch == 0) {
    Bytes handshake = secret(direction, 0);
    if (handshake.size() == suite_->hash_bytes()) {
      from.opener.emplace(*suite_, TlsVersion::tls13, derive_tls13(*suite_, handshake));
      return Outcome::done;
    }
    // Some tools log the application's secrets only; then the handshake's records are passed over.
    Bytes application = secret(direction, 1);
    if (application.size() != suite_->hash_bytes()) return Outcome::wait;
    start_application(direction);
  }
  if (from.traffic_secret.empty()) {
    Bytes application = secret(direction, 1);
    if (application.size() != suite_->hash_bytes()) return Outcome::wait;
    from.traffic_secret.assign(application.begin(), application.end());
  }
  from.opener.emplace(*suite_, TlsVersion::tls13, derive_tls13(*suite_, from.traffic_secret));
  return Outcome::done;
}

void TlsSession::start_application(Direction direction) {
  Half& from = half(direction);
  from.epoch = 1;
  from.number = 0;
  from.opener.reset();
  from.traffic_secret.clear();
}

void TlsSession::next_epoch(Direction direction) {
  Half& from = half(direction);
  from.traffic_secret = next_traffic_secret(*suite_, from.traffic_secret);
  ++from.epoch;
  from.number = 0;
  from.opener.reset();
}

bool TlsSession::try_numbers(RecordOpener& opener, std::uint64_t from, std::uint64_t slack, Bytes record, std::uint64_t& number, std::uint8_t& type) {
  std::uint64_t tries = std::min({slack + 1, limits_.lost_records, limits_.search_bytes / record.size() + 1});
  for (number = from; tries > 0; --tries, ++number)
    if (opener.open(record, number, plain_, type)) return true;
  return false;
}

bool TlsSession::try_epoch(Half& from, RecordOpener opener, std::uint32_t epoch, SecretBytes traffic, std::uint64_t first, std::uint64_t slack,
                           Bytes record, std::uint8_t& type) {
  std::uint64_t number = 0;
  if (!try_numbers(opener, first, slack, record, number, type)) return false;
  from.opener = std::move(opener);
  from.epoch = epoch;
  from.traffic_secret = std::move(traffic);
  opened(from, record, number);
  return true;
}

void TlsSession::opened(Half& from, Bytes record, std::uint64_t number) {
  from.form = Half::Form::sealed;
  from.number = number + 1;
  from.slack = 0;
  from.failures = 0;
  if (from.opener->has_explicit_nonce()) from.nonce = {RecordOpener::explicit_nonce(record), number};
  opened_ = true;
}

TlsSession::Outcome TlsSession::unseal(Direction direction, Bytes record, std::uint8_t& type) {
  if (!suite_) return server_hello_lost_ ? unseal_without_suite(direction, record, type) : Outcome::failed;
  if (!client_random_) return identify(direction, record, type);
  Half& from = half(direction);
  if (Outcome ready = prepare(direction); ready != Outcome::done) return ready;
  if (from.slack == 0 && from.opener->open(record, from.number, plain_, type)) {
    opened(from, record, from.number);
    return Outcome::done;
  }
  // Senders count the explicit nonce up with each record, so it tells the number across a hole of any length.
  if (from.slack != 0 && from.nonce && from.opener->has_explicit_nonce()) {
    std::uint64_t ahead = RecordOpener::explicit_nonce(record) - from.nonce->first, number = from.nonce->second + ahead;
    if (ahead < (std::uint64_t{1} << 40) && number >= from.number && from.opener->open(record, number, plain_, type)) {
      opened(from, record, number);
      return Outcome::done;
    }
  }
  std::uint64_t number = 0;
  if (from.slack != 0 && try_numbers(*from.opener, from.number + from.least, from.slack, record, number, type)) {
    opened(from, record, number);
    return Outcome::done;
  }
  if (version_ != TlsVersion::tls13) return Outcome::failed;
  // The change to the next epoch may have been lost.
  SecretBytes traffic;
  if (from.epoch == 0) {
    Bytes application = secret(direction, 1);
    if (application.size() != suite_->hash_bytes()) return from.slack != 0 ? Outcome::wait : Outcome::failed;
    traffic.assign(application.begin(), application.end());
  } else {
    if (from.slack == 0) return Outcome::failed;
    traffic = next_traffic_secret(*suite_, from.traffic_secret);
  }
  RecordOpener opener(*suite_, TlsVersion::tls13, derive_tls13(*suite_, traffic));
  bool found = try_epoch(from, std::move(opener), from.epoch + 1, traffic, 0, from.slack, record, type);
  return found ? Outcome::done : Outcome::failed;
}

// The ClientHello was lost: whose secrets open the record? A record of the wrong session never opens.
TlsSession::Outcome TlsSession::identify(Direction direction, Bytes record, std::uint8_t& type) {
  if (keys_ == nullptr) return Outcome::failed;
  Half& from = half(direction);
  if (from.form == Half::Form::clear && version_ == TlsVersion::tls12) return Outcome::failed;  // its change to sealed records is awaited
  const auto& order = keys_->order();
  std::size_t tries = std::min(order.size(), limits_.tried_sessions);
  for (auto candidate = order.rbegin(); tries > 0; --tries, ++candidate) {
    client_random_ = *candidate;
    from.opener.reset();
    from.traffic_secret.clear();
    std::uint64_t number = 0;
    // The first records of a direction are its handshake's.
    constexpr std::uint64_t first_records = 8;
    if (prepare(direction) == Outcome::done && try_numbers(*from.opener, 0, std::min(from.slack, first_records), record, number, type)) {
      opened(from, record, number);
      return Outcome::done;
    }
    from.epoch = 0;
  }
  client_random_.reset();
  from.opener.reset();
  from.traffic_secret.clear();
  return Outcome::wait;
}

// The ServerHello was lost. TLS 1.3 has five suites, and its secrets need nothing of the server's.
TlsSession::Outcome TlsSession::unseal_without_suite(Direction direction, Bytes record, std::uint8_t& type) {
  if (!client_random_) return Outcome::failed;
  Half& from = half(direction);
  if (keys_ == nullptr || !keys_->is_expected()) {
    give_up("no key log was given");
    return Outcome::failed;
  }
  if (!keys_->find(*client_random_, SecretLabel::master).empty()) {
    give_up("its ServerHello was lost, which TLS 1.2's keys depend on");
    return Outcome::failed;
  }
  bool any = false;
  for (std::uint32_t epoch : {0U, 1U}) {
    Bytes known = secret(direction, epoch);
    any |= !known.empty();
    for (std::uint16_t id : tls13_suites) {
      std::optional<Suite> suite = find_suite(id);
      if (!suite || suite->hash_bytes() != known.size()) continue;
      SecretBytes traffic(known.begin(), known.end());
      if (epoch == 0) traffic.clear();
      if (!try_epoch(from, RecordOpener(*suite, TlsVersion::tls13, derive_tls13(*suite, known)), epoch, traffic, 0, from.slack, record, type)) continue;
      suite_ = suite;
      version_ = TlsVersion::tls13;
      for (Half& each : halves_) each.form = Half::Form::sealed;
      return Outcome::done;
    }
  }
  return any ? Outcome::failed : Outcome::wait;
}

}  // namespace darktap::mysql
