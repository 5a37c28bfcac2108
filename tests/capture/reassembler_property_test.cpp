// Against a naive oracle: whatever is done to the segments of two random streams, the bytes that were captured come out in
// their places, and exactly the bytes that were not are gaps.
#include <algorithm>

#include "conversation.h"
#include "test_support/property.h"
#include "test_support/stream_log.h"

using namespace darktap;
using namespace darktap::capture;
using namespace darktap::test;

namespace {

struct Sent {
  Direction direction{};
  std::size_t position = 0;
  std::string bytes;
  std::size_t acknowledged = 0;
  bool dropped = false;
};

struct Scenario {
  std::string streams[2];
  std::vector<Sent> segments;
  std::uint32_t isn[2] = {};
};

std::string random_bytes(std::size_t length) {
  std::string bytes(length, '\0');
  for (char& c : bytes) c = static_cast<char>(*rc::gen::inRange<int>('a', 'z' + 1));
  return bytes;
}

// Two sides that take turns, in segments of random length; sequence numbers start near the wrap half of the time.
Scenario random_scenario() {
  Scenario scenario;
  for (std::uint32_t& isn : scenario.isn) isn = *rc::gen::element<std::uint32_t>(0u, 0xffffff00u, 0xfffffff0u, 0x7fffff00u) + *rc::gen::inRange<std::uint32_t>(0, 300);
  const int turns = *rc::gen::inRange(1, 60);
  for (int i = 0; i < turns; ++i) {
    const Direction d = *rc::gen::element(Direction::to_server, Direction::to_client);
    std::string& stream = scenario.streams[index(d)];
    const std::string bytes = random_bytes(*rc::gen::inRange<std::size_t>(0, 40));
    scenario.segments.push_back({d, stream.size(), bytes, scenario.streams[index(opposite(d))].size(), false});
    stream += bytes;
  }
  return scenario;
}

void play(Conversation& talk, const Sent& segment) {
  talk.raw(segment.direction, static_cast<std::int64_t>(segment.position), segment.bytes, ack, static_cast<std::int64_t>(segment.acknowledged));
}

struct Played {
  explicit Played(const Scenario& scenario, ReassemblerLimits limits = {})
      : reassembler(log, {.limits = limits}), talk(reassembler, v4(1, 40000), v4(2, 3306), scenario.isn[0], scenario.isn[1]) {}
  StreamLog log;
  Reassembler reassembler;
  Conversation talk;
};

// Moves each segment at most `window` places.
void shuffle_within(std::vector<Sent>& segments, int window) {
  std::vector<std::pair<int, std::size_t>> keys;
  for (std::size_t i = 0; i < segments.size(); ++i) keys.emplace_back(static_cast<int>(i) + *rc::gen::inRange(0, window + 1), i);
  std::sort(keys.begin(), keys.end());
  std::vector<Sent> shuffled;
  for (const auto& [key, i] : keys) shuffled.push_back(segments[i]);
  segments = std::move(shuffled);
}

}  // namespace

TEST_CASE("shuffled, duplicated, overlapping and wrapping segments give the bytes that were sent") {
  require_property("same bytes, no gap", [] {
    Scenario scenario = random_scenario();
    std::vector<Sent> segments = scenario.segments;
    const int extra = *rc::gen::inRange(0, 20);
    for (int i = 0; i < extra; ++i) {  // copies and other cuts of the same stream, somewhere behind the original
      const std::size_t at = *rc::gen::inRange<std::size_t>(0, segments.size());
      Sent again = segments[at];
      const std::string& stream = scenario.streams[index(again.direction)];
      const std::size_t sent = again.position + again.bytes.size();
      again.position = *rc::gen::inRange<std::size_t>(0, sent + 1);
      again.bytes = stream.substr(again.position, *rc::gen::inRange<std::size_t>(0, sent - again.position + 1));
      segments.insert(segments.begin() + static_cast<std::ptrdiff_t>(*rc::gen::inRange<std::size_t>(at + 1, segments.size() + 1)), again);
    }
    shuffle_within(segments, *rc::gen::inRange(0, 12));
    Played played(scenario);
    played.talk.handshake();
    for (const Sent& segment : segments) play(played.talk, segment);
    played.reassembler.finish({});
    for (const Direction d : {to_server, to_client}) {
      RC_ASSERT(played.log.side(1, d).bytes == scenario.streams[index(d)]);
    }
    RC_ASSERT(played.reassembler.stats().lost_bytes == 0u);
    RC_ASSERT(played.reassembler.stats().buffered == 0u);
  });
}

TEST_CASE("a handshake anywhere among the first segments makes no difference") {
  require_property("same bytes, no gap", [] {
    const Scenario scenario = random_scenario();
    const auto near_start = [&] { return *rc::gen::inRange<std::size_t>(0, std::min<std::size_t>(scenario.segments.size(), 10) + 1); };
    const std::size_t syn_at = near_start(), syn_ack_at = near_start();
    Played played(scenario);
    for (std::size_t i = 0; i <= scenario.segments.size(); ++i) {
      if (i == syn_at) played.talk.syn_only();
      if (i == syn_ack_at) played.talk.syn_ack();
      if (i < scenario.segments.size()) play(played.talk, scenario.segments[i]);
    }
    played.reassembler.finish({});
    RC_ASSERT(played.log.connections.size() == 1u);
    for (const Direction d : {to_server, to_client}) {
      RC_ASSERT(played.log.side(1, d).bytes == scenario.streams[index(d)]);
    }
  });
}

TEST_CASE("dropped segments are exactly the gaps, and holes between bytes seen are what is counted as lost") {
  require_property("gaps where segments were dropped", [] {
    Scenario scenario = random_scenario();
    std::string expected[2] = {scenario.streams[0], scenario.streams[1]};
    for (Sent& segment : scenario.segments) {
      segment.dropped = *rc::gen::inRange(0, 4) == 0;
      if (segment.dropped) expected[index(segment.direction)].replace(segment.position, segment.bytes.size(), segment.bytes.size(), '?');
    }
    const bool last_acknowledged = *rc::gen::arbitrary<bool>();
    std::uint64_t lost = 0, gaps = 0;
    for (std::string stream : expected) {  // between the first and the last byte seen
      const std::size_t first = stream.find_first_not_of('?'), last = stream.find_last_not_of('?');
      if (first == std::string::npos) continue;
      for (std::size_t i = first; i < last; ++i) {
        lost += stream[i] == '?' ? 1 : 0;
        gaps += stream[i] == '?' && stream[i + 1] != '?' ? 1 : 0;
      }
    }
    shuffle_within(scenario.segments, *rc::gen::inRange(0, 6));
    Played played(scenario);
    played.talk.handshake();
    for (const Sent& segment : scenario.segments) {
      if (!segment.dropped) play(played.talk, segment);
    }
    if (last_acknowledged) {
      for (const Direction d : {to_server, to_client}) {
        play(played.talk, {d, scenario.streams[index(d)].size(), "", scenario.streams[index(opposite(d))].size(), false});
      }
    }
    played.reassembler.finish({});
    for (const Direction d : {to_server, to_client}) {
      std::string got = played.log.side(1, d).bytes, want = expected[index(d)];
      const auto without_tail = [](const std::string& text) { return text.substr(0, text.find_last_not_of('?') + 1); };
      if (last_acknowledged) {  // one byte more at the very end can't be told from a FIN
        if (got + "?" == want) got = want;
      } else {  // nobody told of bytes lost behind the last one
        RC_ASSERT(want.substr(0, got.size()) == got);
        got = without_tail(got), want = without_tail(want);
      }
      RC_ASSERT(got == want);
    }
    RC_ASSERT(played.reassembler.stats().lost_bytes == lost);
    RC_ASSERT(played.reassembler.stats().gaps == gaps);
  });
}

TEST_CASE("nothing is delivered in front of what its sender had received") {
  require_property("causal order", [] {
    Scenario scenario = random_scenario();
    std::vector<Sent> segments = scenario.segments;
    shuffle_within(segments, *rc::gen::inRange(0, 12));
    Played played(scenario);
    played.talk.handshake();
    for (const Sent& segment : segments) play(played.talk, segment);
    played.reassembler.finish({});
    // Replays the lines: a segment may only begin when the other side has come as far as the segment acknowledged.
    std::size_t come[2] = {0, 0};
    for (const std::string& line : played.log.lines) {
      const std::size_t quote = line.find('\'');
      if (quote == std::string::npos) continue;
      const Direction d = line[2] == '>' ? to_server : to_client;
      const std::size_t length = line.size() - quote - 2;
      for (const Sent& segment : scenario.segments) {
        const bool begins_here = segment.direction == d && !segment.bytes.empty() && segment.position >= come[index(d)] &&
                                 segment.position < come[index(d)] + length;
        // One byte ahead is taken for a FIN.
        if (begins_here) RC_ASSERT(segment.acknowledged <= come[index(opposite(d))] + 1);
      }
      come[index(d)] += length;
    }
  });
}

TEST_CASE("any limits and any segments keep the promises to the sink and the memory bounded") {
  require_property("promises hold", [] {
    const Scenario scenario = random_scenario();
    ReassemblerLimits limits;
    limits.buffered_per_connection = *rc::gen::inRange<std::size_t>(0, 3000);
    limits.buffered_total = *rc::gen::inRange<std::size_t>(0, 3000);
    limits.connections = *rc::gen::inRange<std::size_t>(0, 3);
    limits.reorder_packets = *rc::gen::inRange<std::uint32_t>(0, 20);
    limits.reorder_time = std::chrono::nanoseconds(*rc::gen::inRange(0, 10));
    Played played(scenario, limits);
    const int count = *rc::gen::inRange(0, 150);
    for (int i = 0; i < count; ++i) {
      const Direction d = *rc::gen::element(Direction::to_server, Direction::to_client);
      const auto flags = static_cast<std::uint8_t>(*rc::gen::weightedElement<int>({{20, ack}, {1, syn}, {1, syn | ack}, {1, fin | ack}, {1, rst}, {1, 0}}));
      const auto near = [] { return *rc::gen::weightedOneOf<std::int64_t>({{9, rc::gen::inRange<std::int64_t>(-5, 300)}, {1, rc::gen::inRange<std::int64_t>(0, 0xffffffff)}}); };
      played.talk.now += std::chrono::nanoseconds(*rc::gen::inRange(-2, 5));
      played.talk.raw(d, near(), random_bytes(*rc::gen::inRange<std::size_t>(0, 40)), flags, near(), *rc::gen::weightedElement<std::uint32_t>({{9, 0}, {1, 7}}));
      RC_ASSERT(played.reassembler.stats().buffered <= std::min(limits.buffered_per_connection * std::max<std::size_t>(limits.connections, 1), limits.buffered_total));
    }
    played.reassembler.finish({});
    RC_ASSERT(played.reassembler.stats().buffered == 0u);
    for (const auto& [id, connection] : played.log.connections) RC_ASSERT(connection.end.has_value());
  });
}
