// The ring between the tap's thread and the decoder's, and what sheds whole sessions where it is full.
#include "capture/segment_queue.h"

#include <deque>
#include <random>
#include <thread>

#include "capture/reassembler.h"
#include "capture/segment_feeder.h"
#include "test_support/catch.h"
#include "test_support/packets.h"
#include "test_support/stream_log.h"

using namespace darktap;
using namespace darktap::capture;
using namespace darktap::test;
using namespace std::chrono_literals;

namespace {

SegmentView segment_of(std::string_view payload, std::uint64_t number = 0) {
  SegmentView segment;
  segment.source = v4(1, 40000);
  segment.destination = v4(2, 3306);
  segment.payload = as_bytes(payload);
  segment.packet = PacketNumber{number};
  return segment;
}

constexpr std::size_t overhead = SegmentQueue::segment_overhead;

}  // namespace

TEST_CASE("what goes through the queue comes out as it was, in its order, across the ring's end and between threads") {
  for (const std::size_t bytes : {4096u, 10'000u, 65'536u}) {
    SegmentQueue queue(bytes);
    constexpr std::uint64_t count = 100'000;
    std::thread producer([&] {
      std::mt19937 random(1);
      std::string payload;
      for (std::uint64_t number = 1; number <= count;) {
        payload.assign(number * 7919 % 700, static_cast<char>('a' + number % 26));
        if (queue.push(segment_of(payload, number))) {
          ++number;
          if (random() % 16 == 0) queue.publish();
        } else {
          queue.publish();
          std::this_thread::yield();
        }
      }
      queue.close();
    });
    std::uint64_t expected = 0, wrong = 0;
    SegmentView segment;
    while (true) {
      const SegmentQueue::Take take = queue.next(segment, 10s);
      if (take == SegmentQueue::Take::closed) break;
      ++expected;
      const std::string payload(expected * 7919 % 700, static_cast<char>('a' + expected % 26));
      wrong += take != SegmentQueue::Take::segment || segment.packet != PacketNumber{expected} || as_text(segment.payload) != payload || segment.source != v4(1, 40000);
    }
    producer.join();
    CHECK(expected == count);
    CHECK(wrong == 0);
  }
}

TEST_CASE("a queue takes what fits, refuses what doesn't, and has room again for what was taken out") {
  const std::size_t bytes = 8 * (overhead + 512);
  for (const int beyond : {-1, 0, 1}) {
    SegmentQueue queue(bytes);
    const std::string payload(512, 'x');
    int taken = 0;
    for (int i = 0; i < 8 + beyond; ++i) taken += queue.push(segment_of(payload));
    CHECK(taken == (beyond > 0 ? 8 : 8 + beyond));
    queue.publish();
    SegmentView segment;
    REQUIRE(queue.next(segment, 0ms) == SegmentQueue::Take::segment);
    CHECK(queue.push(segment_of(payload)) == (beyond < 0));  // the view still stands where it stood
    REQUIRE(queue.next(segment, 0ms) == SegmentQueue::Take::segment);
    CHECK(queue.push(segment_of(payload)));
  }
  for (const int beyond : {-8, 0, 8}) {  // a single one: at most a quarter of the ring
    SegmentQueue queue(4 * (overhead + 4096));
    CHECK(queue.push(segment_of(std::string(4096 + static_cast<std::size_t>(beyond + 8) - 8, 'x'))) == (beyond <= 0));
  }
}

// Where all was taken out the producer goes back to the ring's begin, but only where that leaves room for the entry.
TEST_CASE("an empty queue takes a segment of any size that fits, wherever the last one ended") {
  constexpr std::size_t bytes = 8192;
  for (std::size_t first = 0; overhead + first <= bytes / 4; first += 8) {
    for (const std::size_t second : {bytes / 4 - overhead, bytes / 8, std::size_t{0}}) {
      SegmentQueue queue(bytes);
      const std::string before(first, 'a'), after(second, 'b');
      SegmentView segment;
      REQUIRE(queue.push(segment_of(before, 1)));
      queue.publish();
      REQUIRE(queue.next(segment, 0ms) == SegmentQueue::Take::segment);
      REQUIRE(queue.next(segment, 0ms) == SegmentQueue::Take::timeout);
      queue.publish();
      CAPTURE(first, second);
      REQUIRE(queue.push(segment_of(after, 2)));
      queue.publish();
      REQUIRE(queue.next(segment, 0ms) == SegmentQueue::Take::segment);
      REQUIRE(as_text(segment.payload) == after);
    }
  }
}

TEST_CASE("a queue tells waiting from being over") {
  SegmentQueue queue(4096);
  SegmentView segment;
  CHECK(queue.next(segment, 0ms) == SegmentQueue::Take::timeout);
  CHECK(queue.next(segment, 5ms) == SegmentQueue::Take::timeout);
  CHECK(queue.push(segment_of("last")));
  queue.close();
  CHECK(queue.next(segment, 10s) == SegmentQueue::Take::segment);
  CHECK(queue.next(segment, 10s) == SegmentQueue::Take::closed);
  CHECK(queue.next(segment, 10s) == SegmentQueue::Take::closed);
}

TEST_CASE("where the queue is full a session loses its whole remainder, counted, and the others lose nothing") {
  SegmentQueue queue(16'384);
  SegmentFeeder feeder(queue, ServerPorts{3306});
  StreamLog log;
  Reassembler reassembler(log, {.ports = ServerPorts{3306}});
  std::uint64_t number = 0;
  const auto feed = [&](const TcpFields& fields, const std::string& payload) {
    const std::string packet = ethernet(0x0800, ip_packet(fields, payload));
    ++number;
    feeder.feed(packet_view(packet, link_type::ethernet, number, CaptureTime(std::chrono::milliseconds(number))));
    return payload.size();
  };
  const auto decode = [&] {
    feeder.publish();
    SegmentView segment;
    while (queue.next(segment, 0ms) == SegmentQueue::Take::segment) reassembler.feed(segment);
  };
  TcpFields small{.source = v4(1, 40000), .sequence = 0, .acknowledgement = 0, .flags = syn}, large{.source = v4(1, 40001), .sequence = 0, .acknowledgement = 0, .flags = syn};
  feed(small, "");
  feed(large, "");
  small.flags = large.flags = ack;
  small.sequence = large.sequence = 1;
  decode();
  const std::string question = std::string("\x03\0\0\0", 4) + "\x03xy", bulk = std::string("\xfc\x07\0\0", 4) + std::string(2044, 'b');
  small.sequence += static_cast<std::uint32_t>(feed(small, question));
  for (int i = 0; i < 9; ++i) large.sequence += static_cast<std::uint32_t>(feed(large, bulk));  // more than there is room for
  decode();
  for (int i = 0; i < 3; ++i) {  // there is room again, but not for the one that was shed
    small.sequence += static_cast<std::uint32_t>(feed(small, question));
    large.sequence += static_cast<std::uint32_t>(feed(large, bulk));
  }
  decode();
  const FeederCounts counts = feeder.counts();
  CHECK(counts.packets == number);
  CHECK(counts.shed_sessions == 1);
  CHECK(counts.shed_requests == counts.shed_segments);
  CHECK(counts.shed_requests >= 5);
  CHECK(counts.shed_bytes == counts.shed_segments * bulk.size());
  reassembler.advance(CaptureTime(10s));
  CHECK(log.connections.at(2).end);  // it ended where it was shed
  CHECK(log.side(2, Direction::to_server).bytes.size() == (12 - counts.shed_segments) * bulk.size());
  CHECK(log.side(1, Direction::to_server).bytes.size() == 4 * question.size());
  CHECK_FALSE(log.connections.at(1).end);
  CHECK(reassembler.stats().gaps == 0);

  // Another session on the same ports is a new one.
  large.flags = syn;
  large.sequence = 77;
  feed(large, "");
  large.flags = ack;
  large.sequence = 78;
  feed(large, question);
  decode();
  reassembler.finish(CaptureTime(20s));
  CHECK(feeder.counts().shed_sessions == 1);
  REQUIRE(log.connections.size() == 3);
  CHECK(log.side(3, Direction::to_server).bytes == question);
}

TEST_CASE("the feeder passes on the wanted ports only, but counts every packet") {
  SegmentQueue queue(1 << 16);
  SegmentFeeder feeder(queue, ServerPorts{3306});
  for (const std::uint16_t port : {3306, 80, 3306}) {
    const std::string packet = ethernet(0x0800, ip_packet({.destination = v4(2, port), .options{}}, "x"));
    feeder.feed(packet_view(packet, link_type::ethernet, 1, CaptureTime(5s)));
  }
  feeder.publish();
  SegmentView segment;
  int seen = 0;
  while (queue.next(segment, 0ms) == SegmentQueue::Take::segment) ++seen;
  CHECK(seen == 2);
  CHECK(feeder.counts().packets == 3);
  CHECK(feeder.counts().first_time == CaptureTime(5s));
}
