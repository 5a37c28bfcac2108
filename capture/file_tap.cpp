// Capture files, growing files and standard input: the source's bytes, step by step through the file's format.
#include <map>
#include <utility>

#include "byte_source.h"
#include "capture/tap.h"
#include "capture_format.h"
#include "pcap_handle.h"

namespace darktap::capture {

struct FileTap::State {
  State(const std::string& path, FileTapOptions&& given)
      : source(path, given.end == FileTapOptions::End::followed ? ByteSource::Growth::followed : ByteSource::Growth::ends), options(std::move(given)) {}

  ByteSource source;
  FileTapOptions options;
  std::unique_ptr<CaptureFormat> format;  // once the file's first bytes are there
  std::map<LinkType, std::unique_ptr<Filter>> filters;
  std::uint64_t number = 0;  // of the last packet, whether it was handed on or not
  std::uint64_t supported = 0;
  std::optional<LinkType> unsupported;
  TapCounts counts;
  std::optional<std::string> truncated;
  bool over = false;

  Read open(std::chrono::milliseconds wait);
  Read end();
  bool matches(const PacketView& packet);
  void note(const std::string& what, const char* then);
};

FileTap::FileTap(const std::string& path, FileTapOptions options) : state_(std::make_unique<State>(path, std::move(options))) {
  // Whatever the link type turns out to be, an expression that no link knows is the user's mistake, now.
  if (!state_->options.filter.empty()) Filter::check(state_->source.name(), state_->options.filter);
  if (state_->source.is_whole()) state_->open({});
}

FileTap::FileTap(const std::string& path, const std::string& filter) : FileTap(path, FileTapOptions{.filter = filter}) {}
FileTap::~FileTap() = default;

// `packet` where the format is known, else why it isn't yet.
Tap::Read FileTap::State::open(std::chrono::milliseconds wait) {
  while (source.window().size() < format_magic_bytes) {
    const ByteSource::Fill fill = source.fill(format_magic_bytes, wait);
    if (fill == ByteSource::Fill::timeout) return Read::timeout;
    if (fill == ByteSource::Fill::end) break;
  }
  if (source.stopped() && source.window().empty()) return Read::end;
  auto opened = open_format(source.window(), options.on_secrets);
  if (!opened) throw Failure(FailureKind::environment, source.name() + ": expected a pcap or pcapng capture, " + opened.error());
  format = std::move(opened->format);
  source.consume(opened->consumed);
  if (const LinkType* link = format->link(); link != nullptr && !is_supported(*link)) throw link_failure(source.name(), *link);
  return Read::packet;
}

Tap::Read FileTap::next(PacketView& packet, std::chrono::milliseconds wait) {
  State& state = *state_;
  if (state.over || state.source.stopped()) return Read::end;
  if (!state.format) {
    if (const Read opened = state.open(wait); opened != Read::packet) return opened;
  }
  while (true) {
    FormatStep step = state.format->next(state.source.window(), packet);
    switch (step.kind) {
      case FormatStep::Kind::packet:
        state.source.consume(step.consumed);
        packet.number = PacketNumber{++state.number};
        if (!is_supported(packet.link)) {
          if (!state.unsupported) state.unsupported = packet.link;
        } else {
          ++state.supported;
        }
        if (!state.options.filter.empty() && !state.matches(packet)) break;
        ++state.counts.packets;
        return Read::packet;
      case FormatStep::Kind::passed: state.source.consume(step.consumed); break;
      case FormatStep::Kind::damaged:
        state.note(step.what, "was left out");
        state.source.consume(step.consumed);
        break;
      case FormatStep::Kind::broken:
        if (state.number == 0) {
          throw Failure(FailureKind::environment, state.source.name() + ": expected a readable pcap or pcapng capture, found " + step.what +
                                                      " at byte " + std::to_string(state.source.offset()) + "; check it with capinfos or capture again");
        }
        state.note(step.what, "ends the reading");
        return state.end();
      case FormatStep::Kind::more: {
        const ByteSource::Fill fill = state.source.fill(step.needed, wait);
        if (fill == ByteSource::Fill::timeout) return Read::timeout;
        if (fill == ByteSource::Fill::more) break;
        // What a writer is still at is no damage where the reader was told to stop.
        if (!state.source.window().empty() && !state.source.stopped()) {
          if (state.number == 0) {
            throw Failure(FailureKind::environment, state.source.name() + ": expected a pcap or pcapng capture, found a file that ends before its first packet"
                                                        " is whole; capture again");
          }
          state.note("half a packet", "is all that was left");
        }
        return state.end();
      }
    }
    if (state.source.stopped()) return Read::end;
  }
}

Tap::Read FileTap::State::end() {
  over = true;
  if (supported == 0 && unsupported) throw link_failure(source.name(), *unsupported);
  return Read::end;
}

bool FileTap::State::matches(const PacketView& packet) {
  if (!is_supported(packet.link)) return false;
  std::unique_ptr<Filter>& filter = filters[packet.link];
  if (!filter) filter = std::make_unique<Filter>(packet.link, source.name(), options.filter);
  return filter->matches(packet);
}

// What was read before stays good. The first trouble is the one that is told.
void FileTap::State::note(const std::string& what, const char* then) {
  if (truncated) return;
  truncated = source.name() + ": the capture is damaged or ends early, after packet " + std::to_string(number) + ": " + what + " at byte " +
              std::to_string(source.offset()) + " " + then + "; everything else was read";
}

void FileTap::stop() noexcept { state_->source.stop(); }
TapCounts FileTap::counts() {
  if (state_->format) state_->counts.kernel_drops = state_->format->drops();
  return state_->counts;
}
const std::string& FileTap::name() const { return state_->source.name(); }
const std::optional<std::string>& FileTap::truncated() const { return state_->truncated; }

}  // namespace darktap::capture
