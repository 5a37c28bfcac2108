// Finds a connection by its two endpoints, whichever sent the packet: open addressing with linear probing over a pool of
// flows, and the two lists that order them (least recently active; waiting for time to pass).
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "flow.h"

namespace darktap::capture {

// A doubly linked list through the flows; `links` names the pair of members it uses.
class FlowList {
 public:
  FlowList(std::deque<Flow>& flows, FlowLinks Flow::* links) : flows_(flows), links_(links) {}
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
  std::deque<Flow>& flows_;
  FlowLinks Flow::* links_;
  FlowIndex front_ = no_flow, back_ = no_flow;
  std::size_t size_ = 0;
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
  static std::uint32_t hash(const Endpoint& a, const Endpoint& b);
  Found find(std::uint32_t hash, const Endpoint& source, const Endpoint& destination) const;
  // A new flow in no list; references to flows stay valid until they are erased.
  FlowIndex insert(std::uint32_t hash, const Endpoint& first, const Endpoint& second);
  // Removes it from its lists too.
  void erase(FlowIndex flow);
  Flow& operator[](FlowIndex flow) { return flows_[flow]; }

  // Moves a flow out of the live ones.
  void retire(FlowIndex flow, Flow::Phase phase);

 private:
  void grow();
  void place(std::uint32_t hash, FlowIndex flow);

  struct Slot {
    std::uint32_t hash = 0;
    FlowIndex flow = no_flow;
  };
  std::deque<Flow> flows_;
  std::vector<FlowIndex> free_;
  std::vector<Slot> slots_ = std::vector<Slot>(1024);  // a power of two
  std::size_t used_ = 0;

 public:
  FlowList live{flows_, &Flow::activity};     // gathering or running, least recently active first
  FlowList retired{flows_, &Flow::activity};  // closed or ignored, oldest first
  FlowList waiting{flows_, &Flow::wait};      // by Flow::wait_checked
};

}  // namespace darktap::capture
