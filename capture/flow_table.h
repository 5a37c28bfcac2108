// Finds a connection by its two endpoints, whichever sent the packet: open addressing with linear probing over a pool of
// flows, and the two lists that order them (least recently active; waiting for time to pass).
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

#include "flow.h"

namespace darktap::capture {

// Flows by number; references stay valid.
class FlowPool {
 public:
  Flow& operator[](FlowIndex flow) { return *flows_[flow]; }
  const Flow& operator[](FlowIndex flow) const { return *flows_[flow]; }
  std::size_t size() const { return flows_.size(); }
  void add() { flows_.push_back(std::make_unique<Flow>()); }

 private:
  std::vector<std::unique_ptr<Flow>> flows_;
};

// A doubly linked list through the flows; `links` names the pair of members it uses.
class FlowList {
 public:
  FlowList(FlowPool& flows, FlowLinks Flow::* links) : flows_(flows), links_(links) {}
  FlowIndex front() const { return front_; }
  FlowIndex next(FlowIndex flow) const { return (flows_[flow].*links_).next; }
  std::size_t size() const { return size_; }
  void push_back(FlowIndex flow);
  void remove(FlowIndex flow);
  void move_to_back(FlowIndex flow) {
    if (flow == back_) return;
    remove(flow);
    push_back(flow);
  }

 private:
  FlowPool& flows_;
  FlowLinks Flow::* links_;
  FlowIndex front_ = no_flow, back_ = no_flow;
  std::size_t size_ = 0;
};

// An address as two numbers: one comparison instead of a call of memcmp for each packet.
struct AddressWords {
  std::uint64_t high = 0, low = 0;
  explicit AddressWords(const IpAddress& address) {
    std::memcpy(&high, address.bytes.data(), 8);
    std::memcpy(&low, address.bytes.data() + 8, 8);
  }
  bool operator==(const AddressWords&) const = default;
};

class FlowTable {
 public:
  FlowTable() = default;
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  struct Found {
    FlowIndex flow = no_flow;
    bool from_first = true;  // the source is Flow::first
  };
  // The same for both directions.
  static std::uint32_t hash(const Endpoint& a, const Endpoint& b) {
    return static_cast<std::uint32_t>(mix(hash_of(a) + hash_of(b), 0x8ebc6af09c88c6e3ull) >> 16);
  }
  Found find(std::uint32_t hash, const Endpoint& source, const Endpoint& destination) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at].flow != no_flow; at = (at + 1) & mask) {
      if (slots_[at].hash != hash) continue;
      const Flow& flow = flows_[slots_[at].flow];
      // One port tells which way round, nearly always, without a look at the addresses.
      if (flow.first.port == source.port && same(flow.first, source) && same(flow.second, destination)) return {slots_[at].flow, true};
      if (same(flow.first, destination) && same(flow.second, source)) return {slots_[at].flow, false};
    }
    return {};
  }
  // A new flow in no list; references to flows stay valid until they are erased.
  FlowIndex insert(std::uint32_t hash, const Endpoint& first, const Endpoint& second);
  // Removes it from its lists too.
  void erase(FlowIndex flow);
  Flow& operator[](FlowIndex flow) { return flows_[flow]; }

  // Moves a flow out of the live ones.
  void retire(FlowIndex flow, Flow::Phase phase);

 private:
  // Multiply and fold, as wyhash does; one round for each eight bytes.
  static std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  static std::uint64_t hash_of(const Endpoint& endpoint) {
    const AddressWords words(endpoint.address);
    return mix(words.high ^ 0xa0761d6478bd642full ^ endpoint.port, words.low ^ 0xe7037ed1a0b428dbull);
  }
  static bool same(const Endpoint& a, const Endpoint& b) { return a.port == b.port && AddressWords(a.address) == AddressWords(b.address); }

  void grow();
  void place(std::uint32_t hash, FlowIndex flow);

  struct Slot {
    std::uint32_t hash = 0;
    FlowIndex flow = no_flow;
  };
  FlowPool flows_;
  std::vector<FlowIndex> free_;
  std::vector<Slot> slots_ = std::vector<Slot>(1024);  // a power of two
  std::size_t used_ = 0;

 public:
  FlowList live{flows_, &Flow::activity};     // gathering or running, least recently active first
  FlowList retired{flows_, &Flow::activity};  // closed or ignored, oldest first
  FlowList waiting{flows_, &Flow::wait};      // by Flow::wait_checked
};

}  // namespace darktap::capture
