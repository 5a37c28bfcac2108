// Finds what belongs to a connection by its number: open addressing, in one probe nearly always.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace darktap::session {

template <class Connection>
class ConnectionTable {
 public:
  // Lives until it is erased.
  Connection* find(ConnectionId id) const {
    for (std::size_t at = home(id);; at = next(at)) {
      const Slot& slot = slots_[at];
      if (slot.id == id) return slot.connection.get();
      if (slot.connection == nullptr) return nullptr;
    }
  }

  // The number must be new.
  Connection& insert(ConnectionId id, std::unique_ptr<Connection> connection) {
    if ((used_ + 1) * 2 > slots_.size()) grow();
    ++used_;
    return *place({id, std::move(connection)});
  }

  void erase(ConnectionId id) {
    std::size_t hole = home(id);
    while (slots_[hole].id != id) {
      if (slots_[hole].connection == nullptr) return;
      hole = next(hole);
    }
    slots_[hole] = {};
    --used_;
    // Close the hole: move up each later entry of the run that may stand there.
    for (std::size_t at = next(hole); slots_[at].connection != nullptr; at = next(at)) {
      if (distance(home(slots_[at].id), at) < distance(hole, at)) continue;
      slots_[hole] = std::exchange(slots_[at], {});
      hole = at;
    }
  }

 private:
  struct Slot {
    ConnectionId id;  // 0: nobody's
    std::unique_ptr<Connection> connection;
  };

  // Numbers count up. As they are they would stand side by side in one long run, which each erasure would have to look through.
  std::size_t home(ConnectionId id) const { return static_cast<std::size_t>(id.value * 0x9e3779b97f4a7c15U >> 32) & (slots_.size() - 1); }
  std::size_t next(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }
  std::size_t distance(std::size_t from, std::size_t to) const { return (to - from) & (slots_.size() - 1); }

  Connection* place(Slot slot) {
    std::size_t at = home(slot.id);
    while (slots_[at].connection != nullptr) at = next(at);
    slots_[at] = std::move(slot);
    return slots_[at].connection.get();
  }
  void grow() {
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
    for (Slot& slot : old)
      if (slot.connection != nullptr) place(std::move(slot));
  }

  std::vector<Slot> slots_ = std::vector<Slot>(64);  // a power of two, at most half full
  std::size_t used_ = 0;
};

}  // namespace darktap::session
