#include "capture/fragments.h"

#include <algorithm>

namespace darktap::capture {

namespace {
constexpr std::size_t longest_ip_payload = 65535;
}

std::optional<Fragments::Whole> Fragments::add(const Piece& piece) {
  ++stats_.pieces;
  expire(piece.time);
  auto found = packets_.find(piece.key);
  if (found == packets_.end()) {
    while (packets_.size() >= std::max<std::size_t>(limits_.packets, 1)) {
      const auto oldest = packets_.find(by_age_.front());
      if (oldest->second.state == Packet::State::waiting) ++stats_.evicted;
      forget(oldest);
    }
    found = packets_.emplace(piece.key, Packet{.since = piece.time}).first;
    found->second.age = by_age_.insert(by_age_.end(), piece.key);
  }
  Packet& packet = found->second;
  const std::size_t length = piece.bytes.size() + piece.missing, end = piece.offset + length;
  if (packet.state == Packet::State::done) {
    ++stats_.copies;
    return {};
  }
  const bool is_last = piece.place == Piece::Place::last;
  if (length == 0 || end > longest_ip_payload || (!is_last && length % 8 != 0)) {
    give_up(packet, stats_.malformed);
    return {};
  }
  const auto behind = packet.stretches.lower_bound(piece.offset);
  if (behind != packet.stretches.end() && behind->first == piece.offset && behind->second.length == length) {
    ++stats_.copies;  // the first copy counts
    return {};
  }
  const bool overlaps = (behind != packet.stretches.end() && behind->first < end) ||
                        (behind != packet.stretches.begin() && std::prev(behind)->first + std::prev(behind)->second.length > piece.offset);
  const bool beyond_end = packet.length && (end > *packet.length || is_last);
  const bool cuts_off = is_last && !packet.stretches.empty() && packet.stretches.rbegin()->first >= piece.offset;
  if (overlaps || beyond_end || cuts_off) {
    give_up(packet, stats_.overlapping);
    return {};
  }
  make_room(piece.key, piece.bytes.size());
  if (buffered_ + piece.bytes.size() > limits_.bytes || packet.stretches.size() >= limits_.pieces) {
    give_up(packet, stats_.evicted);
    return {};
  }
  buffered_ += piece.bytes.size();
  packet.seen += length;
  packet.stretches.emplace(piece.offset, Stretch{length, {piece.bytes.begin(), piece.bytes.end()}});
  if (is_last) packet.length = end;
  if (piece.offset == 0) packet.protocol = piece.protocol;
  if (!packet.length || packet.seen != *packet.length) return {};

  // All there. What was cut ends what can be used.
  whole_.clear();
  for (const auto& [offset, stretch] : packet.stretches) {
    whole_.insert(whole_.end(), stretch.bytes.begin(), stretch.bytes.end());
    if (stretch.bytes.size() < stretch.length) break;
  }
  ++stats_.whole;
  const Whole whole{whole_, *packet.length - whole_.size(), packet.protocol};
  free_bytes(packet);
  packet.state = Packet::State::done;
  return whole;
}

// Time is counted from the first piece, so that the oldest are those whose time is over first; a file may jump back in time.
void Fragments::expire(CaptureTime now) {
  while (!by_age_.empty()) {
    const auto oldest = packets_.find(by_age_.front());
    const bool waiting = oldest->second.state == Packet::State::waiting;
    if (now - oldest->second.since < (waiting ? limits_.time : limits_.remembered)) return;
    if (waiting) ++stats_.incomplete;
    forget(oldest);
  }
}

// Bytes are made free from the oldest packets on, but never from the one that wants them.
void Fragments::make_room(const Key& keep, std::size_t bytes) {
  for (const Key& key : by_age_) {
    if (buffered_ + bytes <= limits_.bytes) return;
    Packet& packet = packets_.find(key)->second;
    if (key != keep && packet.state == Packet::State::waiting) give_up(packet, stats_.evicted);
  }
}

// Its later pieces are counted as copies, and start nothing.
void Fragments::give_up(Packet& packet, std::uint64_t& reason) {
  ++reason;
  free_bytes(packet);
  packet.state = Packet::State::done;
}

void Fragments::free_bytes(Packet& packet) {
  for (const auto& [offset, stretch] : packet.stretches) buffered_ -= stretch.bytes.size();
  packet.stretches.clear();
}

void Fragments::forget(Packets::iterator packet) {
  free_bytes(packet->second);
  by_age_.erase(packet->second.age);
  packets_.erase(packet);
}

}  // namespace darktap::capture
