#include "flow_table.h"

#include <cstring>
#include <utility>

namespace darktap::capture {

void FlowList::push_back(FlowIndex flow) {
  flows_[flow].*links_ = {back_, no_flow};
  (back_ == no_flow ? front_ : (flows_[back_].*links_).next) = flow;
  back_ = flow;
  ++size_;
}

void FlowList::remove(FlowIndex flow) {
  const FlowLinks links = flows_[flow].*links_;
  (links.previous == no_flow ? front_ : (flows_[links.previous].*links_).next) = links.next;
  (links.next == no_flow ? back_ : (flows_[links.next].*links_).previous) = links.previous;
  --size_;
}

namespace {

// Multiply and fold, as wyhash does; one round for each eight bytes.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// An address as two numbers: one comparison instead of a call of memcmp for each packet.
struct AddressWords {
  std::uint64_t high = 0, low = 0;
  explicit AddressWords(const IpAddress& address) {
    std::memcpy(&high, address.bytes.data(), 8);
    std::memcpy(&low, address.bytes.data() + 8, 8);
  }
};

bool same(const Endpoint& a, const Endpoint& b) {
  const AddressWords left(a.address), right(b.address);
  return left.low == right.low && a.port == b.port && left.high == right.high;
}

std::uint64_t hash_of(const Endpoint& endpoint) {
  const AddressWords words(endpoint.address);
  return mix(words.high ^ 0xa0761d6478bd642full ^ endpoint.port, words.low ^ 0xe7037ed1a0b428dbull);
}

}  // namespace

std::uint32_t FlowTable::hash(const Endpoint& a, const Endpoint& b) {
  // The sum makes both directions equal.
  return static_cast<std::uint32_t>(mix(hash_of(a) + hash_of(b), 0x8ebc6af09c88c6e3ull) >> 16);
}

FlowTable::Found FlowTable::find(std::uint32_t hash, const Endpoint& source, const Endpoint& destination) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].flow != no_flow; at = (at + 1) & mask) {
    if (slots_[at].hash != hash) continue;
    const Flow& flow = flows_[slots_[at].flow];
    if (same(flow.first, source) && same(flow.second, destination)) return {slots_[at].flow, true};
    if (same(flow.first, destination) && same(flow.second, source)) return {slots_[at].flow, false};
  }
  return {};
}

FlowIndex FlowTable::insert(std::uint32_t hash, const Endpoint& first, const Endpoint& second) {
  if ((used_ + 1) * 2 > slots_.size()) grow();
  FlowIndex flow = no_flow;
  if (free_.empty()) {
    flow = static_cast<FlowIndex>(flows_.size());
    flows_.emplace_back();
  } else {
    flow = free_.back();
    free_.pop_back();
  }
  flows_[flow].first = first;
  flows_[flow].second = second;
  flows_[flow].hash = hash;
  place(hash, flow);
  ++used_;
  return flow;
}

void FlowTable::erase(FlowIndex flow) {
  Flow& gone = flows_[flow];
  const bool was_live = gone.phase == Flow::Phase::gathering || gone.phase == Flow::Phase::running;
  (was_live ? live : retired).remove(flow);
  if (gone.waiting) waiting.remove(flow);

  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = gone.hash & mask;
  while (slots_[hole].flow != flow) hole = (hole + 1) & mask;
  // Close the hole: move up each later entry of the run that may stand there.
  for (std::size_t at = (hole + 1) & mask; slots_[at].flow != no_flow; at = (at + 1) & mask) {
    const std::size_t home = slots_[at].hash & mask;
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      slots_[hole] = slots_[at];
      hole = at;
    }
  }
  slots_[hole] = {};
  gone = Flow{};
  free_.push_back(flow);
  --used_;
}

void FlowTable::retire(FlowIndex index, Flow::Phase phase) {
  Flow& flow = flows_[index];
  live.remove(index);
  if (flow.waiting) waiting.remove(index);
  flow.waiting = false;
  flow.phase = phase;
  flow.gathered = {};
  retired.push_back(index);
}

void FlowTable::grow() {
  std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
  for (const Slot& slot : old) {
    if (slot.flow != no_flow) place(slot.hash, slot.flow);
  }
}

void FlowTable::place(std::uint32_t hash, FlowIndex flow) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].flow != no_flow) at = (at + 1) & mask;
  slots_[at] = {hash, flow};
}

}  // namespace darktap::capture
