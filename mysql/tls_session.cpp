#include "tls_session.h"

#include <algorithm>

namespace darktap::mysql {

namespace {

constexpr std::uint8_t change_cipher_spec = 20, alert = 21, handshake = 22, application_data = 23, heartbeat = 24;
constexpr std::uint32_t most_failures = 8;  // records in a row that don't open before the session is given up
const char* const client_hello_missing = "its ClientHello was not seen, which names the session's secrets";
constexpr std::size_t shortest_sealed = 22;  // header, tag and one byte

std::size_t record_size(Bytes header) {
  return TlsSession::header_bytes + (std::to_integer<std::size_t>(header[3]) << 8 | std::to_integer<std::size_t>(header[4]));
}

bool is_header(Bytes header) {
  auto type = std::to_integer<std::uint8_t>(header[0]), major = std::to_integer<std::uint8_t>(header[1]), minor = std::to_integer<std::uint8_t>(header[2]);
  std::size_t size = record_size(header);
  return type >= change_cipher_spec && type <= heartbeat && major == 3 && minor <= 4 && size > TlsSession::header_bytes && size <= TlsSession::longest_record;
}

}  // namespace

TlsSession::TlsSession(TlsSink& sink, KeyLog* keys, const TlsLimits& limits) : sink_(sink), keys_(keys), limits_(limits) {}

TlsSession::~TlsSession() {
  if (keys_ != nullptr) keys_->release(held_bytes_);
}

void TlsSession::feed(Direction direction, Bytes bytes, const Stamp& stamp) {
  total_ += bytes.size();
  if (!why_.empty()) return;
  if (waiting_) {
    hold({direction, {bytes.begin(), bytes.end()}, 0, stamp});
    retry();
  } else {
    run(direction, bytes, stamp);
  }
  forget_if_given_up();
}

void TlsSession::gap(Direction direction, std::uint64_t length, const Stamp& behind) {
  if (!why_.empty()) return;
  if (waiting_) hold({direction, {}, length, behind});
  else run_gap(direction, length, behind);
  forget_if_given_up();
}

void TlsSession::finish() {
  if (!why_.empty()) return;
  if (waiting_ && keys_ != nullptr) keys_->ask_for_more();
  retry();
  if (waiting_) give_up(client_random_ ? "the key log has no secrets for it" : client_hello_missing);
  else if (!opened_ && why_.empty()) give_up("its handshake was not seen to its end");
  forget_if_given_up();
}

// ---- bytes to records

void TlsSession::run(Direction direction, Bytes bytes, const Stamp& stamp) {
  while (!bytes.empty() && why_.empty()) {
    Half& from = half(direction);
    if (from.lost) {
      from.stamps.emplace_back(from.searched.size(), stamp);
      from.searched.insert(from.searched.end(), bytes.begin(), bytes.end());
      search(direction, stamp);
      return;
    }
    collect(direction, bytes, stamp);
    if (waiting_) {
      hold_rest(direction, bytes, stamp);
      return;
    }
  }
}

// Takes at most one record from the front of `bytes`.
void TlsSession::collect(Direction direction, Bytes& bytes, const Stamp& stamp) {
  Half& from = half(direction);
  if (from.record.empty()) from.first = stamp;
  if (from.record.empty() && bytes.size() >= header_bytes && is_header(bytes)) {
    std::size_t size = record_size(bytes);
    if (bytes.size() >= size) {  // the common case: whole, and read where it lies
      Bytes record = bytes.first(size);
      bytes = bytes.subspan(size);
      if (on_record(direction, record, stamp, stamp) == Outcome::wait) {
        from.record.assign(record.begin(), record.end());
        from.last = stamp;
        from.waits = true;
      }
      return;
    }
  }
  auto take = [&](std::size_t wanted) {
    std::size_t taken = std::min(wanted, bytes.size());
    from.record.insert(from.record.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
  };
  if (from.record.size() < header_bytes) {
    take(header_bytes - from.record.size());
    if (from.record.size() < header_bytes) return;
    if (!is_header(from.record)) {
      if (from.slack == 0 && from.form == Half::Form::clear) give_up("its bytes are no TLS records");
      else lose(direction, 0, stamp);
      return;
    }
  }
  std::size_t size = record_size(from.record);
  take(size - from.record.size() - from.missing);
  if (from.record.size() + from.missing < size) return;
  if (from.missing != 0) {
    on_damaged(direction, stamp);
    from.record.clear();
    from.missing = 0;
    return;
  }
  std::vector<std::byte> record = std::move(from.record);
  from.record.clear();
  from.last = stamp;
  if (on_record(direction, record, from.first, stamp) == Outcome::wait) from.waits = true;
  else record.clear();
  if (!from.lost) from.record = std::move(record);  // its memory is used again
}

void TlsSession::run_gap(Direction direction, std::uint64_t length, const Stamp& behind) {
  Half& from = half(direction);
  if (from.lost) {
    from.lost_bytes += length + from.searched.size();
    from.searched.clear();
    from.stamps.clear();
    return;
  }
  if (from.record.size() >= header_bytes && from.record.size() + from.missing + length <= record_size(from.record)) {
    from.missing += length;
    if (from.record.size() + from.missing < record_size(from.record)) return;
    on_damaged(direction, behind);
    from.record.clear();
    from.missing = 0;
    return;
  }
  lose(direction, length, behind);
}

// Without the ClientHello the session's secrets are found by trying; TLS 1.3's are of use without the server's. Without either
// there is no telling.
bool TlsSession::hello_is_missing(Direction direction) {
  if (!client_random_) client_hello_lost_ = true;
  if (!client_random_ && (direction == Direction::to_client || keys_ == nullptr || !keys_->is_expected())) {
    give_up(client_hello_missing);
    return true;
  }
  if (direction == Direction::to_client && !suite_) server_hello_lost_ = true;
  return false;
}

bool TlsSession::loses_application_data(const Half& from) const {
  return from.form == Half::Form::sealed && (version_ != TlsVersion::tls13 || from.epoch > 0);
}

void TlsSession::note_gap(Direction direction, const Stamp& behind) {
  Half& from = half(direction);
  if (loses_application_data(from)) sink_.on_plain_gap(direction, unknown_gap, behind);
  else from.gap_due = true;
}

void TlsSession::lose(Direction direction, std::uint64_t length, const Stamp& behind) {
  if (hello_is_missing(direction)) return;
  Half& from = half(direction);
  note_gap(direction, behind);
  from.lost = true;
  from.lost_bytes = length + from.record.size() + from.missing;
  from.slack += 1;
  from.record.clear();
  from.missing = 0;
  from.handshake.reset();
}

// All of the record's bytes are accounted for, but some were not seen.
void TlsSession::on_damaged(Direction direction, const Stamp& last) {
  if (hello_is_missing(direction)) return;
  Half& from = half(direction);
  from.handshake.reset();
  from.slack += 1;
  bool told_by_length = version_ == TlsVersion::tls12 && suite_ && loses_application_data(from);
  if (!told_by_length) {
    note_gap(direction, last);
    return;
  }
  std::size_t around = header_bytes + suite_->explicit_nonce_bytes() + suite_->tag_bytes(), size = record_size(from.record);
  if (std::to_integer<std::uint8_t>(from.record[0]) == application_data && size > around) sink_.on_plain_gap(direction, size - around, last);
}

// Looks for a record in what came behind a hole.
void TlsSession::search(Direction direction, const Stamp& stamp) {
  Half& from = half(direction);
  auto stamp_at = [&](std::size_t at) {
    auto behind = std::upper_bound(from.stamps.begin(), from.stamps.end(), at, [](std::size_t wanted, const auto& each) { return wanted < each.first; });
    return behind == from.stamps.begin() ? stamp : std::prev(behind)->second;
  };
  Bytes all(from.searched);
  for (std::size_t at = 0; at + header_bytes <= all.size(); ++at) {
    if (!is_header(all.subspan(at))) continue;
    std::size_t size = record_size(all.subspan(at));
    if (all.size() - at < size) continue;
    Bytes record = all.subspan(at, size);
    auto type = std::to_integer<std::uint8_t>(record[0]);
    Outcome outcome = Outcome::failed;
    bool may_be_change = type == change_cipher_spec && size == header_bytes + 1 && from.form == Half::Form::clear;
    std::uint64_t missed = from.lost_bytes + at, slack = std::exchange(from.slack, from.slack + missed / shortest_sealed + 1);
    // Of a handshake in the clear it isn't known how much was records of that number.
    from.least = from.form == Half::Form::sealed ? missed / longest_record : 0;
    std::vector<std::byte> kept(record.begin(), record.end());
    if (may_be_change) outcome = version_ == TlsVersion::tls13 ? Outcome::failed : Outcome::done;
    else if (type != change_cipher_spec) outcome = unseal(direction, kept, type);
    from.least = 0;
    if (!why_.empty()) return;
    if (outcome == Outcome::wait) {
      from.slack = slack;
      wait_for(direction, stamp.time);
      return;
    }
    if (outcome == Outcome::failed) {
      from.slack = slack;
      continue;
    }
    // Found: the record is opened again on the usual way, which now knows its number.
    Stamp first = stamp_at(at), last = stamp_at(at + size - 1);
    std::vector<std::byte> rest(all.begin() + static_cast<std::ptrdiff_t>(at + size), all.end());
    from.lost = false;
    from.lost_bytes = 0;
    from.searched.clear();
    from.stamps.clear();
    if (may_be_change) from.slack = slack;
    else --from.number;
    if (on_record(direction, kept, first, last) == Outcome::wait) {
      from.record = std::move(kept);
      from.first = first;
      from.last = last;
      from.waits = true;
      hold_rest(direction, rest, stamp);
      return;
    }
    run(direction, rest, stamp);
    return;
  }
  // A record that begins farther back than this would have been whole.
  if (from.searched.size() > 4 * longest_record) {
    std::size_t drop = from.searched.size() - longest_record;
    from.searched.erase(from.searched.begin(), from.searched.begin() + static_cast<std::ptrdiff_t>(drop));
    from.lost_bytes += drop;
    from.stamps = {{0, stamp}};
  }
}

// ---- records

TlsSession::Outcome TlsSession::on_record(Direction direction, Bytes record, const Stamp& first, const Stamp& last) {
  Half& from = half(direction);
  bool sealed = from.form == Half::Form::sealed;
  // Behind a hole the change to sealed records may have been missed.
  if (!sealed && (server_hello_lost_ || (from.slack != 0 && suite_))) sealed = std::to_integer<std::uint8_t>(record[0]) != change_cipher_spec;
  Outcome outcome = sealed ? on_sealed(direction, record, first, last) : on_clear(direction, record);
  if (outcome == Outcome::wait) {
    wait_for(direction, last.time);
  } else if (outcome == Outcome::done) {
    understood_ += record.size();
  }
  return outcome;
}

TlsSession::Outcome TlsSession::on_clear(Direction direction, Bytes record) {
  Half& from = half(direction);
  switch (std::to_integer<std::uint8_t>(record[0])) {
    case handshake:
      from.handshake.add(record.subspan(header_bytes));
      on_handshake(direction);
      break;
    case change_cipher_spec:
      if (!version_ || *version_ == TlsVersion::tls13) break;  // TLS 1.3 sends it for middleboxes' sake
      from.form = Half::Form::sealed;
      from.handshake.reset();
      from.opener.reset();
      from.number = 0;
      break;
    case alert: break;
    default: return Outcome::failed;  // early data, of which MySQL has none
  }
  return Outcome::done;
}

TlsSession::Outcome TlsSession::on_sealed(Direction direction, Bytes record, const Stamp& first, const Stamp& last) {
  Half& from = half(direction);
  auto type = std::to_integer<std::uint8_t>(record[0]);
  if (type == change_cipher_spec && version_ == TlsVersion::tls13) return Outcome::done;
  Outcome outcome = unseal(direction, record, type);
  if (outcome == Outcome::wait) return outcome;
  if (outcome == Outcome::failed) {
    if (!why_.empty()) return outcome;
    if (from.form == Half::Form::clear) return on_clear(direction, record);
    if (++from.failures >= most_failures && !opened_) {
      give_up("its records don't open with the key log's secrets");
      return outcome;
    }
    // Bytes that were captured wrongly, or a record of a handshake whose secrets the log leaves out.
    if (type == application_data) note_gap(direction, last);
    from.slack += 1;
    from.handshake.reset();
    return outcome;
  }
  if (std::exchange(from.gap_due, false)) {
    std::uint64_t before_data = version_ == TlsVersion::tls13 ? 0 : 1;  // TLS 1.2: its Finished is the first
    if (loses_application_data(from) && from.number > before_data + 1) sink_.on_plain_gap(direction, unknown_gap, last);
    else if (!loses_application_data(from)) from.gap_due = true;
  }
  switch (type) {
    case application_data:
      if (!plain_.empty()) sink_.on_plain(direction, plain_, first, last);
      break;
    case handshake:
      from.handshake.add(plain_);
      on_handshake(direction);
      break;
    case change_cipher_spec:  // TLS 1.2: a handshake inside the session was agreed upon
      from.opener.reset();
      from.nonce.reset();
      from.number = 0;
      break;
    default: break;
  }
  return Outcome::done;
}

void TlsSession::on_handshake(Direction direction) {
  Half& from = half(direction);
  while (why_.empty()) {
    auto message = from.handshake.next();
    if (!message) return;
    switch (message->type) {
      case tls_message::client_hello:
        if (direction == Direction::to_server)
          if (auto random = parse_client_hello(message->body)) client_random_ = random;
        break;
      case tls_message::server_hello:
        if (direction == Direction::to_client)
          if (auto hello = parse_server_hello(message->body)) on_server_hello(*hello);
        break;
      case tls_message::finished:
        if (version_ == TlsVersion::tls13 && from.form == Half::Form::sealed && from.epoch == 0) start_application(direction);
        break;
      case tls_message::key_update:
        if (version_ == TlsVersion::tls13 && from.epoch > 0) next_epoch(direction);
        break;
      default: break;
    }
  }
}

void TlsSession::on_server_hello(const ServerHello& hello) {
  version_ = hello.version;
  if (hello.kind == ServerHello::Kind::retry) return;
  server_random_ = hello.random;
  suite_ = find_suite(hello.suite);
  bool suits = suite_ && (hello.version == TlsVersion::tls12 || hello.version == TlsVersion::tls13);
  if (!suits) {
    std::byte id[] = {static_cast<std::byte>(hello.suite >> 8), static_cast<std::byte>(hello.suite & 0xffU)};
    give_up("its cipher suite 0x" + to_hex(Bytes(id)) + " is none of AES-GCM, AES-CCM and ChaCha20-Poly1305, and those alone can be read");
    return;
  }
  if (!client_random_ && !client_hello_lost_) {
    give_up(client_hello_missing);
    return;
  }
  if (keys_ == nullptr || !keys_->is_expected()) {
    give_up("no key log was given");
    return;
  }
  if (hello.version != TlsVersion::tls13) return;
  for (Half& each : halves_) {
    each.form = Half::Form::sealed;
    each.handshake.reset();
  }
}

std::string TlsSession::name() const { return version_ ? to_string(*version_) : "TLS"; }

std::size_t TlsSession::memory() const {
  std::size_t bytes = sizeof(*this) + held_bytes_ + plain_.capacity();
  for (const Half& each : halves_) bytes += each.record.capacity() + each.searched.capacity() + each.handshake.memory();
  return bytes;
}

}  // namespace darktap::mysql
