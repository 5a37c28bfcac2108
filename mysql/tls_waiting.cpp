// Secrets that have not come yet: what of a session waits for them, how much, and how long.
#include "tls_session.h"

namespace darktap::mysql {

void TlsSession::wait_for(Direction direction, CaptureTime time) {
  waiting_ = true;
  waits_for_ = direction;
  held_since_ = time;
  if (keys_ != nullptr) seen_version_ = keys_->version();
}

void TlsSession::hold(Held piece) {
  std::size_t size = piece.bytes.size() + sizeof(Held);
  bool in_time = piece.stamp.time - held_since_ <= limits_.held_time;
  if (!in_time || held_bytes_ + size > limits_.held_bytes || keys_ == nullptr || !keys_->reserve(size)) {
    if (keys_ != nullptr) keys_->ask_for_more();
    retry();
    if (waiting_) {
      give_up("the key log had no secrets for it in time");
    } else if (why_.empty()) {
      if (piece.gap != 0) run_gap(piece.direction, piece.gap, piece.stamp);
      else run(piece.direction, piece.bytes, piece.stamp);
    }
    return;
  }
  held_bytes_ += size;
  held_.push_back(std::move(piece));
}

// What is behind the record that waits.
void TlsSession::hold_rest(Direction direction, Bytes bytes, const Stamp& stamp) {
  if (bytes.empty() || !why_.empty()) return;
  std::size_t size = bytes.size() + sizeof(Held);
  if (keys_ == nullptr || !keys_->reserve(size)) {
    give_up("too many sessions wait for their secrets");
    return;
  }
  held_bytes_ += size;
  held_.push_front({direction, {bytes.begin(), bytes.end()}, 0, stamp});
}

void TlsSession::retry() {
  if (!waiting_ || keys_ == nullptr || seen_version_ == keys_->version()) return;
  seen_version_ = keys_->version();
  Half& from = half(waits_for_);
  waiting_ = false;
  if (from.waits) {
    std::vector<std::byte> record = std::move(from.record);
    from.record.clear();
    from.waits = false;
    Stamp first = from.first, last = from.last;
    if (on_record(waits_for_, record, first, last) == Outcome::wait) {
      from.record = std::move(record);
      from.waits = true;
    }
  } else if (from.lost) {
    search(waits_for_, from.stamps.empty() ? Stamp{} : from.stamps.back().second);
  }
  while (!waiting_ && why_.empty() && !held_.empty()) {
    Held piece = std::move(held_.front());
    held_.pop_front();
    std::size_t size = piece.bytes.size() + sizeof(Held);
    held_bytes_ -= size;
    keys_->release(size);
    if (piece.gap != 0) run_gap(piece.direction, piece.gap, piece.stamp);
    else run(piece.direction, piece.bytes, piece.stamp);
  }
}

void TlsSession::give_up(const std::string& why) {
  why_ = why;
  waiting_ = false;
}

// Not before what is under way has come to its end: it stands in these bytes.
void TlsSession::forget_if_given_up() {
  if (why_.empty()) return;
  held_.clear();
  if (keys_ != nullptr) keys_->release(held_bytes_);
  held_bytes_ = 0;
  for (Half& each : halves_) each = Half();
}

}  // namespace darktap::mysql
