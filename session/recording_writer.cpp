#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>

#include "base/expected.h"
#include "exchange_codec.h"
#include "misc_codec.h"
#include "recording_index.h"
#include "recording_record.h"
#include "session/recording.h"

namespace darktap::session {

namespace {

[[noreturn]] void fail(const std::string& path, const char* what, const std::string& remedy) {
  throw Failure(FailureKind::environment, path + ": can't " + what + " the recording: " + std::strerror(errno) + "; " + remedy);
}

int create(const std::string& path) {
  if (struct stat info{}; ::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
    // An earlier recording of the same name is replaced, as tcpdump does, but by a file of our own.
    if (::unlink(path.c_str()) != 0) fail(path, "replace", "name another file");
  }
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST) {
    throw Failure(FailureKind::environment, path + ": is not a regular file; a recording holds production data and is never written through a link, name another file");
  }
  if (file < 0) fail(path, "create", "name a file in a folder that you may write to");
  return file;
}

}  // namespace

struct RecordingWriter::State {
  std::string path;
  int file = -1;
  std::uint64_t offset = 0;
  std::vector<std::string> files;
  // A segment speaks of every session that it has exchanges of, so that it can be read alone.
  struct OpenSession {
    SessionInfo info;
    std::uint32_t told_in = 0;  // segment + 1
  };
  std::map<SessionId, OpenSession> sessions;

  LaneWriters lanes;
  ExchangeEncoder encoder;
  BlockHeader block;
  std::size_t block_exchanges = 0;
  std::uint32_t segment = 0;
  SegmentEntry entry;  // of the segment at hand
  std::set<std::uint64_t> segment_sessions;
  std::uint32_t files_told_in = 0;
  FileIndex index;
  std::vector<std::byte> payload;

  explicit State(const std::string& p) : path(p) {}
  ~State() {
    if (file >= 0) ::close(file);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void write(Bytes bytes) {
    while (!bytes.empty()) {
      ssize_t written = ::write(file, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail(path, "write", "make room or name another folder; what was written before can be read");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
  }

  void write_block(BlockHeader& header, Bytes content) {
    if (content.size() > most_payload_bytes) {
      throw Failure(FailureKind::environment, path + ": can't write the recording: one exchange takes more than " + std::to_string(most_payload_bytes) + " bytes");
    }
    header.payload_bytes = static_cast<std::uint32_t>(content.size());
    header.segment = segment;
    auto bytes = encode(header);
    header.checksum = checksum_of(Bytes(bytes).first(block_header_bytes - 8), content);
    bytes = encode(header);
    write(bytes);
    write(content);
  }

  void begin(RecordKind kind) {
    if (lanes.size() == 0) {
      block = {};
      block.place = entry.begin == 0 ? BlockHeader::Place::begins_segment : BlockHeader::Place::inside;
      block.rows_before = encoder.rows_remembered();
      block_exchanges = 0;
      if (entry.begin == 0) entry.begin = offset;
    }
    if (files_told_in != segment + 1) {
      files_told_in = segment + 1;
      for (std::size_t i = 0; i < files.size(); ++i) tell_file(i);
    }
    lanes[Lane::records].number(static_cast<std::uint64_t>(kind));
  }
  void tell_file(std::size_t i) {
    lanes[Lane::records].number(static_cast<std::uint64_t>(RecordKind::file));
    lanes[Lane::misc].number(i);
    lanes[Lane::misc].text(files[i]);
  }
  void tell_session(OpenSession& session) {
    if (session.told_in == segment + 1) return;
    session.told_in = segment + 1;
    begin(RecordKind::session);
    encode(lanes[Lane::misc], session.info);
    segment_sessions.insert(session.info.id.value);
  }

  void end_record() {
    if (lanes.size() >= block_bytes || block_exchanges >= block_exchange_limit) end_block();
    if (encoder.is_full() || entry.exchanges >= segment_exchange_limit) end_segment();
  }

  void end_block() {
    if (lanes.size() == 0) return;
    encoder.end_block(lanes);
    payload.clear();
    lanes.pack(payload);
    write_block(block, payload);
    if (payload.capacity() > 4 * block_bytes) std::vector<std::byte>().swap(payload);
  }

  void end_segment() {
    end_block();
    if (entry.begin == 0) return;
    entry.index = offset;
    SegmentIndex content{entry, {segment_sessions.begin(), segment_sessions.end()}};
    WireWriter bytes;
    encode(bytes, content);
    BlockHeader header{.kind = BlockHeader::Kind::segment_index, .first = entry.first, .last = entry.last};
    write_block(header, bytes.view());
    index.segments.push_back(entry);
    entry = {};
    segment_sessions.clear();
    encoder.end_segment();
    ++segment;
  }
};

RecordingWriter::RecordingWriter(const std::string& path, const RecordingOptions& options) : state_(std::make_unique<State>(path)) {
  state_->file = create(path);
  FileHeader header;
  if (options.rows == RecordingOptions::Rows::sealed) header.flags |= FileHeader::rows_sealed;
  if (options.statements == RecordingOptions::Statements::redacted) header.flags |= FileHeader::redacted;
  header.key_id = options.key_id;
  header.part = options.part;
  state_->write(encode(header));
}

RecordingWriter::~RecordingWriter() = default;

void RecordingWriter::add_file(const std::string& name) {
  State& state = *state_;
  state.files.push_back(name);
  if (state.files_told_in == state.segment + 1) {
    state.tell_file(state.files.size() - 1);
    state.end_record();
  }
}

void RecordingWriter::on_session(const SessionInfo& info) {
  State::OpenSession& session = state_->sessions[info.id];
  session.info = info;
  state_->tell_session(session);
  state_->end_record();
}

void RecordingWriter::on_exchange(Exchange& exchange) {
  State& state = *state_;
  if (auto session = state.sessions.find(exchange.id.session); session != state.sessions.end()) state.tell_session(session->second);
  state.begin(RecordKind::exchange);
  state.encoder.add(state.lanes, exchange);
  auto widen = [&](CaptureTime& first, CaptureTime& last, std::uint64_t exchanges) {
    first = exchanges == 0 ? exchange.request_first : std::min(first, exchange.request_first);
    last = exchanges == 0 ? exchange.request_first : std::max(last, exchange.request_first);
  };
  widen(state.block.first, state.block.last, state.block_exchanges++);
  widen(state.entry.first, state.entry.last, state.entry.exchanges++);
  state.end_record();
}

void RecordingWriter::on_session_end(SessionId session, CaptureTime time) {
  State& state = *state_;
  if (auto open = state.sessions.find(session); open != state.sessions.end()) state.tell_session(open->second);
  state.begin(RecordKind::session_end);
  state.lanes[Lane::misc].number(session.value);
  state.lanes[Lane::misc].difference(time.time_since_epoch().count());
  state.sessions.erase(session);
  state.end_record();
}

void RecordingWriter::flush() { state_->end_block(); }

std::uint64_t RecordingWriter::bytes_written() const { return state_->offset; }

void RecordingWriter::finish(const TapCounters& counters, const RoundTrips& round_trips) {
  State& state = *state_;
  state.begin(RecordKind::counters);
  encode(state.lanes[Lane::misc], counters);
  encode(state.lanes[Lane::misc], round_trips);
  state.end_segment();
  state.index.counters = counters;
  WireWriter bytes;
  encode(bytes, state.index);
  std::uint64_t file_index = state.offset;
  BlockHeader header{.kind = BlockHeader::Kind::file_index};
  state.write_block(header, bytes.view());
  state.write(encode_trailer(file_index));
  if (::fsync(state.file) != 0 && errno != EINVAL && errno != EROFS) fail(state.path, "finish", "make room or name another folder");
  ::close(state.file);
  state.file = -1;
}

}  // namespace darktap::session
