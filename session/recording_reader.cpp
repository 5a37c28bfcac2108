#include <algorithm>
#include <unordered_map>

#include "exchange_codec.h"
#include "misc_codec.h"
#include "recording_file.h"
#include "recording_index.h"
#include "recording_record.h"
#include "session/recording.h"

namespace darktap::session {

struct RecordingReader::State {
  std::string path;
  RecordingFile file;
  RecordingOptions options;
  std::vector<std::string> files;

  // Of the reading at hand.
  ExchangeSink* sink = nullptr;
  Selection selection;
  std::function<bool()> stop;
  LaneReaders lanes;
  ExchangeDecoder decoder;
  Exchange exchange;  // the one at hand; each is written over the one before, in its storage
  std::optional<std::uint32_t> segment;
  enum class Told : std::uint8_t { sought, other };
  std::unordered_map<std::uint64_t, Told> sessions;  // those that are open
  TapCounters counted;
  RoundTrips round_trips;
  enum class Found : std::uint8_t { no, yes } counters = Found::no, end = Found::no;
  std::vector<Damage> damages;
  std::uint64_t damage_count = 0, without_rows = 0;

  explicit State(const std::string& p) : path(p), file(p) {
    const FileHeader& header = file.header();
    if ((header.flags & FileHeader::rows_sealed) != 0) options.rows = RecordingOptions::Rows::sealed;
    if ((header.flags & FileHeader::redacted) != 0) options.statements = RecordingOptions::Statements::redacted;
    options.key_id = header.key_id;
    options.part = header.part;
  }

  void read_all();
  void read_selected();
  std::vector<SegmentEntry> segments();
  bool speaks_of_session(const SegmentEntry& entry);
  void read_blocks(std::uint64_t from, std::uint64_t to);
  bool read_records(const BlockHeader& header, Bytes payload);
  bool read_record(RecordKind kind);
  void tell_session(const SessionInfo& info);
  void add_damage(std::uint64_t offset, std::uint64_t bytes, Damage::Kind kind) {
    ++damage_count;
    if (damages.size() < damages_kept) damages.push_back({offset, bytes, kind});
  }
};

void RecordingReader::State::tell_session(const SessionInfo& info) {
  bool sought = selection.wants(info.id);
  if (!sessions.emplace(info.id.value, sought ? Told::sought : Told::other).second) return;  // each segment tells it again
  ++counted.sessions;
  if (info.join == SessionInfo::Join::midstream) ++counted.joined_midstream;
  if (info.transport == SessionInfo::Transport::tls) ++counted.tls_sessions;
  if (info.transport == SessionInfo::Transport::compressed) ++counted.compressed_sessions;
  if (sought) sink->on_session(info);
}

bool RecordingReader::State::read_record(RecordKind kind) {
  WireReader& misc = lanes[Lane::misc];
  switch (kind) {
    case RecordKind::file: {
      std::uint64_t number = misc.number();
      std::string name = misc.text();
      if (!misc.ok() || number > files.size()) return misc.ok();  // one before it was in a damaged block
      if (number == files.size()) files.push_back(std::move(name));
      return true;
    }
    case RecordKind::session: {
      SessionInfo info;
      decode(misc, info);
      if (misc.ok()) tell_session(info);
      return misc.ok();
    }
    case RecordKind::exchange: {
      auto is_wanted = [&] { return selection.wants(exchange.id.session) && selection.wants(exchange.request_first); };
      if (selection.depth == Selection::Depth::heads) {
        if (!decoder.next_alone(lanes, exchange)) return false;
      } else {
        using enum ExchangeDecoder::Outcome;
        auto outcome = decoder.next(lanes, exchange, [&](const Exchange&) { return is_wanted() ? ExchangeDecoder::Part::all : ExchangeDecoder::Part::head; });
        if (outcome == damaged) return false;
        if (outcome == without_rows && is_wanted()) ++this->without_rows;
      }
      if (!is_wanted()) return true;
      if (!sessions.contains(exchange.id.session.value)) {  // who it was stood in a damaged block
        SessionInfo info;
        info.id = exchange.id.session;
        info.first_time = exchange.request_first;
        info.join = SessionInfo::Join::midstream;
        tell_session(info);
      }
      if (counted.first_time == CaptureTime()) counted.first_time = exchange.request_first;
      counted.last_time = std::max({counted.last_time, exchange.request_last, exchange.response_last});
      sink->on_exchange(exchange);
      return true;
    }
    case RecordKind::session_end: {
      SessionId session{misc.number()};
      CaptureTime time(CaptureClock::duration(misc.difference()));
      if (!misc.ok()) return false;
      auto open = sessions.find(session.value);
      bool sought = open != sessions.end() && open->second == Told::sought;
      if (open != sessions.end()) sessions.erase(open);
      if (sought) sink->on_session_end(session, time);
      return true;
    }
    case RecordKind::counters: {
      TapCounters of_tap;
      decode(misc, of_tap);
      if (!misc.ok()) return false;
      counted = of_tap;
      counters = Found::yes;
      decode(misc, round_trips);
      return true;
    }
  }
  return false;
}

bool RecordingReader::State::read_records(const BlockHeader& header, Bytes payload) {
  if (header.place == BlockHeader::Place::begins_segment || segment != header.segment) decoder.begin_segment();
  segment = header.segment;
  const bool whole = selection.depth == Selection::Depth::whole;
  if (!lanes.unpack(payload, whole ? Lanes::all : Lanes::heads) || !decoder.begin_block(lanes, whole ? header.rows_before : 0)) return false;
  WireReader& records = lanes[Lane::records];
  bool in_time = header.first == CaptureTime() || ((!selection.from || header.last >= *selection.from) && (!selection.to || header.first < *selection.to));
  if (!in_time && !lanes[Lane::shape].at_end()) {
    // Nothing of it is wanted but the rows that later blocks refer to, and who is there. Records without exchanges are few.
    return decoder.learn_rows(lanes) && [&] {
      while (!records.at_end()) {
        auto kind = static_cast<RecordKind>(records.small<std::uint8_t>());
        if (!records.ok() || (kind != RecordKind::exchange && !read_record(kind))) return false;
      }
      return true;
    }();
  }
  while (!records.at_end()) {
    auto kind = static_cast<RecordKind>(records.small<std::uint8_t>());
    if (!records.ok() || !read_record(kind)) return false;
  }
  return lanes.ok();
}

// The blocks from one offset to another, passing over what is damaged.
void RecordingReader::State::read_blocks(std::uint64_t from, std::uint64_t to) {
  while (from < to && end == Found::no && !(stop && stop())) {
    auto block = file.block_at(from);
    if (!block) {
      auto next = file.next_block(from + 1);
      std::uint64_t until = std::min(next.value_or(file.size()), to);
      bool is_cut = !next && to == file.size();
      add_damage(from, until - from, is_cut ? Damage::Kind::cut_off : Damage::Kind::damaged);
      from = until;
      continue;
    }
    std::uint64_t block_end = block->end;
    switch (block->header.kind) {
      case BlockHeader::Kind::records:
        if (!read_records(block->header, block->payload)) add_damage(from, block_end - from, Damage::Kind::damaged);
        break;
      case BlockHeader::Kind::segment_index: break;
      case BlockHeader::Kind::file_index:
        end = Found::yes;
        if (!file.is_trailer(block_end)) add_damage(block_end, file.size() - block_end, file.size() - block_end < trailer_bytes ? Damage::Kind::cut_off : Damage::Kind::damaged);
        break;
    }
    from = block_end;
  }
}

void RecordingReader::State::read_all() { read_blocks(FileHeader::bytes, file.size()); }

// From the file index; without one by going from header to header.
std::vector<SegmentEntry> RecordingReader::State::segments() {
  if (auto offset = file.file_index()) {
    auto block = file.block_at(*offset);
    FileIndex index;
    if (block && block->header.kind == BlockHeader::Kind::file_index) {
      WireReader reader(block->payload);
      if (decode(reader, index)) {
        counted = index.counters;
        counters = end = Found::yes;
        return std::move(index.segments);
      }
    }
  }
  std::vector<SegmentEntry> entries;
  std::uint64_t offset = FileHeader::bytes;
  std::optional<std::uint32_t> number;
  while (offset < file.size()) {
    auto header = file.header_at(offset);
    if (!header) {
      auto next = file.next_block(offset + 1);
      add_damage(offset, next.value_or(file.size()) - offset, next ? Damage::Kind::damaged : Damage::Kind::cut_off);
      if (!next) break;
      offset = *next;
      continue;
    }
    if (header->kind == BlockHeader::Kind::records) {
      if (number != header->segment) {
        number = header->segment;
        entries.push_back({.begin = offset, .first = header->first, .last = header->last});
      }
      SegmentEntry& entry = entries.back();
      if (header->first != CaptureTime()) {
        entry.first = entry.first == CaptureTime() ? header->first : std::min(entry.first, header->first);
        entry.last = std::max(entry.last, header->last);
      }
    }
    std::uint64_t begin = offset;
    offset += block_header_bytes + header->payload_bytes;
    if (header->kind == BlockHeader::Kind::records) entries.back().index = offset;
    else if (header->kind == BlockHeader::Kind::segment_index && number == header->segment) entries.back().index = begin;
  }
  return entries;
}

bool RecordingReader::State::speaks_of_session(const SegmentEntry& entry) {
  if (!selection.session) return true;
  auto block = file.block_at(entry.index);
  if (!block || block->header.kind != BlockHeader::Kind::segment_index) return true;  // it can't be told: read it
  SegmentIndex index;
  WireReader reader(block->payload);
  if (!decode(reader, index)) return true;
  return std::binary_search(index.sessions.begin(), index.sessions.end(), selection.session->value);
}

void RecordingReader::State::read_selected() {
  std::vector<SegmentEntry> all = segments();
  Found finished = end;
  for (const SegmentEntry& entry : all) {
    bool in_time = entry.first == CaptureTime() || ((!selection.from || entry.last >= *selection.from) && (!selection.to || entry.first < *selection.to));
    if (!in_time || !speaks_of_session(entry)) continue;
    TapCounters known = counted;
    end = Found::no;
    read_blocks(entry.begin, std::min(entry.index, file.size()));
    if (finished == Found::yes) counted = known;
  }
  end = finished;
}

RecordingReader::RecordingReader(const std::string& path) : state_(std::make_unique<State>(path)) {}
RecordingReader::~RecordingReader() = default;

const RecordingOptions& RecordingReader::options() const { return state_->options; }

TapCounters RecordingReader::read(ExchangeSink& sink, const Selection& selection, const std::function<bool()>& stop) {
  State& state = *state_;
  state.sink = &sink;
  state.selection = selection;
  state.stop = stop;
  state.segment.reset();
  state.sessions.clear();
  state.counted = {};
  state.round_trips = {};
  state.counters = state.end = State::Found::no;
  state.damages.clear();
  state.damage_count = state.without_rows = 0;
  if (selection.is_all()) state.read_all();
  else state.read_selected();
  bool whole = state.counters == State::Found::yes && state.end == State::Found::yes && state.damage_count == 0;
  if (!whole) state.counted.end = TapCounters::End::truncated;
  return state.counted;
}

const RoundTrips& RecordingReader::round_trips() const { return state_->round_trips; }
const std::vector<std::string>& RecordingReader::files() const { return state_->files; }
const std::vector<Damage>& RecordingReader::damages() const { return state_->damages; }
std::uint64_t RecordingReader::damage_count() const { return state_->damage_count; }
std::uint64_t RecordingReader::without_rows() const { return state_->without_rows; }
std::uint64_t RecordingReader::bytes_read() const { return state_->file.bytes_read(); }

std::string RecordingReader::problem() const {
  const State& state = *state_;
  auto at = [](const Damage& damage) { return std::to_string(damage.bytes) + " bytes at byte " + std::to_string(damage.offset); };
  const Damage* cut = !state.damages.empty() && state.damages.back().kind == Damage::Kind::cut_off ? &state.damages.back() : nullptr;
  std::uint64_t damaged = state.damage_count - (cut ? 1 : 0);
  std::string text;
  if (damaged > 0) {
    text = state.path + ": " + std::to_string(damaged) + (damaged == 1 ? " part of the recording is damaged (" : " parts of the recording are damaged, the first (") +
           at(state.damages.front()) + ") and passed over";
    if (state.without_rows > 0) text += "; " + std::to_string(state.without_rows) + " exchanges lost their rows with it";
    text += "; the rest was read";
  } else if (cut) {
    text = state.path + ": the recording ends early: its last " + at(*cut) + " are no whole block (its writer was stopped, or the file was cut); read up to there";
  } else if (state.end == State::Found::no || state.counters == State::Found::no) {
    text = state.path + ": the recording ends early: its writer was stopped before it could finish it; read to its end";
  }
  return text;
}

}  // namespace darktap::session
