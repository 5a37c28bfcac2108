// A sink that writes stream events down as lines and checks the promises every sink relies on.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/stream.h"

namespace darktap::test {

// "1 open handshake", "1 > 0 'abc'" (to the server, at position 0), "1 < 3 gap 10", "1 end finished".
class StreamLog final : public StreamSink {
 public:
  struct Side {
    std::string bytes;  // gaps as '?'
    std::uint64_t gap_bytes = 0;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;  // position, length; adjacent ones joined
  };
  struct Connection {
    StreamOpen open;
    std::array<Side, 2> sides;
    std::optional<StreamEnd::Reason> end;
  };
  // Filled without bounds for gaps longer than this; a hostile capture may claim gigabytes.
  static constexpr std::uint64_t longest_shown_gap = 1 << 20;
  bool keep_lines = true;

  void on_open(const StreamOpen& event) override {
    promise(!connections.contains(event.connection.value), "a connection opens once");
    connections[event.connection.value].open = event;
    line(event.connection, event.start == StreamOpen::Start::handshake ? "open handshake" : "open midstream");
  }
  void on_bytes(const StreamBytes& event) override {
    Side& side = continued(event.connection, event.direction, event.position);
    promise(!event.bytes.empty(), "bytes are never empty");
    side.bytes += as_text(event.bytes);
    next_[{event.connection.value, event.direction}] += event.bytes.size();
    line(event.connection, arrow(event.direction) + std::to_string(event.position.value) + " '" + std::string(as_text(event.bytes)) + "'");
  }
  void on_gap(const StreamGap& event) override {
    Side& side = continued(event.connection, event.direction, event.position);
    promise(event.length > 0, "gaps are never empty");
    side.bytes.append(std::min(event.length, longest_shown_gap), '?');
    side.gap_bytes += event.length;
    next_[{event.connection.value, event.direction}] += event.length;
    if (!side.gaps.empty() && side.gaps.back().first + side.gaps.back().second == event.position.value) {
      side.gaps.back().second += event.length;
    } else {
      side.gaps.emplace_back(event.position.value, event.length);
    }
    line(event.connection, arrow(event.direction) + std::to_string(event.position.value) + " gap " + std::to_string(event.length));
  }
  void on_end(const StreamEnd& event) override {
    static constexpr const char* names[] = {"finished", "reset", "replaced", "evicted", "capture_ended"};
    const auto found = connections.find(event.connection.value);
    promise(found != connections.end() && !found->second.end, "an open connection ends, once");
    found->second.end = event.reason;
    line(event.connection, std::string("end ") + names[static_cast<int>(event.reason)]);
  }

  const Side& side(std::uint64_t connection, Direction direction) { return connections.at(connection).sides[index(direction)]; }
  // The lines since the last call.
  std::vector<std::string> take() { return std::exchange(lines, {}); }

  std::map<std::uint64_t, Connection> connections;
  std::vector<std::string> lines;

 private:
  static void promise(bool holds, const char* what) {
    if (!holds) throw std::logic_error(std::string("broken promise to the sink: ") + what);
  }
  static std::string arrow(Direction direction) { return direction == Direction::to_server ? "> " : "< "; }
  Side& continued(ConnectionId id, Direction direction, StreamPosition position) {
    const auto found = connections.find(id.value);
    promise(found != connections.end(), "a connection opens before its bytes");
    promise(!found->second.end, "nothing follows an end");
    promise(position.value == next_[{id.value, direction}], "positions are contiguous");
    return found->second.sides[index(direction)];
  }
  void line(ConnectionId id, const std::string& text) {
    if (keep_lines) lines.push_back(std::to_string(id.value) + " " + text);
  }
  std::map<std::pair<std::uint64_t, Direction>, std::uint64_t> next_;
};

}  // namespace darktap::test
