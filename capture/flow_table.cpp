#include "flow_table.h"

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

FlowIndex FlowTable::insert(std::uint32_t hash, const Endpoint& first, const Endpoint& second) {
  if ((used_ + 1) * 2 > slots_.size()) grow();
  FlowIndex flow = no_flow;
  if (free_.empty()) {
    flow = static_cast<FlowIndex>(flows_.size());
    flows_.add();
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
