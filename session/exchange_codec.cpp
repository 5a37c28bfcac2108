#include "exchange_codec.h"

#include <algorithm>
#include <tuple>

#include "exchange_shape.h"

namespace darktap::session {
namespace {

// Of one exchange; far beyond what a tap keeps. References are short: a damaged file could ask for any amount of memory.
constexpr std::uint64_t most_row_bytes = std::uint64_t{256} << 20;

std::uint64_t rep(CaptureTime time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); }
CaptureTime time_of(std::uint64_t rep) { return CaptureTime(CaptureClock::duration(static_cast<std::int64_t>(rep))); }
// Differences wrap: whatever the values, adding the difference gives them back.
std::int64_t between(std::uint64_t from, std::uint64_t to) { return static_cast<std::int64_t>(to - from); }
std::uint64_t advance(std::uint64_t& value, std::int64_t by) { return value += static_cast<std::uint64_t>(by); }

bool sends_its_text(mysql::CommandCode code) { return code == mysql::CommandCode::query || code == mysql::CommandCode::stmt_prepare; }

// An integer's value, sign-extended so that small negative ones are small numbers.
std::uint64_t integer_of(const mysql::Parameter& p) {
  std::uint64_t value = 0;
  for (std::size_t i = p.bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(p.bytes[i]);
  unsigned unused = 64 - static_cast<unsigned>(p.bytes.size()) * 8;
  if (p.sign == mysql::Parameter::Sign::unsigned_) return value;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value << unused) >> unused);
}
void set_integer(mysql::Parameter& p, std::uint64_t value, std::size_t width) {
  p.bytes.resize(width);
  for (std::byte& byte : p.bytes) {
    byte = static_cast<std::byte>(value & 0xff);
    value >>= 8;
  }
}

// The numbers of one exchange, each as the difference from the one before; and its pieces.
struct ValueWriter {
  LaneWriters& lanes;
  std::uint64_t last = 0, piece_bytes = 0;

  void number(std::uint64_t value) {
    lanes[Lane::numbers].difference(between(last, value));
    last = value;
  }
  void piece(Bytes bytes) {
    lanes[Lane::piece_lengths].number(bytes.size());
    lanes[Lane::pieces].raw(bytes);
    piece_bytes += bytes.size();
  }
  void parameters(const std::vector<mysql::Parameter>& parameters) {
    for (const mysql::Parameter& p : parameters) {
      switch (coding_of(p)) {
        case ValueCoding::none: break;
        case ValueCoding::piece: piece(p.bytes); break;
        case ValueCoding::integer1:
        case ValueCoding::integer2:
        case ValueCoding::integer4:
        case ValueCoding::integer8: number(integer_of(p)); break;
      }
    }
  }
};

struct ValueReader {
  LaneReaders& lanes;
  std::uint64_t last = 0, piece_bytes = 0;

  std::uint64_t number() { return advance(last, lanes[Lane::numbers].difference()); }
  Bytes piece() {
    Bytes bytes = lanes[Lane::pieces].raw(lanes[Lane::piece_lengths].number());
    piece_bytes += bytes.size();
    return bytes;
  }
  // Into `parameters`, or nowhere.
  void parameters(std::vector<mysql::Parameter>* parameters, const std::vector<ValueCoding>& codings) {
    for (std::size_t i = 0; i < codings.size(); ++i) {
      if (codings[i] == ValueCoding::none) continue;
      if (codings[i] == ValueCoding::piece) {
        Bytes bytes = piece();
        if (parameters) (*parameters)[i].bytes.assign(bytes.begin(), bytes.end());
      } else {
        std::uint64_t value = number();
        if (parameters) set_integer((*parameters)[i], value, static_cast<std::size_t>(codings[i]));
      }
    }
  }
};

}  // namespace

// Writing.

ExchangeEncoder::ExchangeEncoder() = default;
ExchangeEncoder::~ExchangeEncoder() = default;

std::size_t ExchangeEncoder::number_of_shape(LaneWriters& lanes) {
  std::string_view shape = as_text(shape_.view());
  if (auto known = shapes_.find(shape); known != shapes_.end()) return known->second;
  lanes[Lane::shapes].bytes(shape_.view());
  return shapes_.try_emplace(std::string(shape), shapes_.size()).first->second;
}

void ExchangeEncoder::add_rows(LaneWriters& lanes, const mysql::RowBatch& rows) {
  lanes[Lane::row_counts].number(rows.size());
  constexpr std::size_t slot_ahead = 12, place_ahead = 8, bytes_ahead = 4, ring = 16;
  std::array<std::uint64_t, ring> hashes;
  auto hash_and_fetch = [&](std::size_t i) {
    hashes[i % ring] = RowWindow::hash(rows.row(i));
    window_.fetch_slot(hashes[i % ring]);
  };
  for (std::size_t i = 0; i < std::min(slot_ahead, rows.size()); ++i) hash_and_fetch(i);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i + slot_ahead < rows.size()) hash_and_fetch(i + slot_ahead);
    if (i + place_ahead < rows.size()) window_.fetch_place(hashes[(i + place_ahead) % ring]);
    if (i + bytes_ahead < rows.size()) window_.fetch_bytes(hashes[(i + bytes_ahead) % ring]);
    Bytes row = rows.row(i);
    RowWindow::Found found = window_.find_or_add(row, hashes[i % ring], expected_row_);
    using How = RowWindow::Found::How;
    if (found.how == How::known) {
      std::int64_t distance = between(expected_row_, found.number);
      lanes[Lane::rows].number(row_window::first_reference + zigzag(distance));
    } else {
      lanes[Lane::rows].number(found.how == How::remembered ? row_window::remembered : row_window::whole);
      lanes[Lane::row_lengths].number(row.size());
      lanes[Lane::row_bytes].raw(row);
    }
    if (found.how != How::whole) expected_row_ = found.number + 1;
  }
}

void ExchangeEncoder::add(LaneWriters& lanes, const Exchange& e) {
  split_statement(e.command.text, skeleton_, literals_);
  shape_.clear();
  encode_shape(shape_, e, skeleton_);
  std::size_t shape_number = number_of_shape(lanes);
  lanes[Lane::shape].number(shape_number);

  Expectations::OfSession& session = expected_.of_session(e.id.session.value);
  lanes[Lane::session].difference(between(expected_.session, e.id.session.value));
  lanes[Lane::seq].difference(between(session.next_seq, e.id.seq));
  lanes[Lane::file].difference(between(expected_.file, e.provenance.file));
  lanes[Lane::packet].difference(between(expected_.packet, e.provenance.packet.value));
  expected_.session = e.id.session.value;
  session.next_seq = e.id.seq + std::uint64_t{1};
  expected_.file = e.provenance.file;
  expected_.packet = e.provenance.packet.value;

  std::uint64_t flags = flags_of(e), end = rep(e.request_last);
  times_.request_first.push_back(between(session.last_time, rep(e.request_first)));
  times_.request_span.push_back(between(rep(e.request_first), end));
  if ((flags & ShapeFlags::response_times) != 0) {
    times_.response_wait.push_back(between(end, rep(e.response_first)));
    end = rep(e.response_last);
    times_.response_span.push_back(between(rep(e.response_first), end));
  }
  session.last_time = end;
  expected_.request_first = rep(e.request_first);

  Expectations::OfShape& shape = expected_.of_shape(shape_number);
  ValueWriter values{lanes};
  if ((flags & ShapeFlags::statement_id) != 0) {
    lanes[Lane::numbers].difference(between(shape.statement_id, e.command.statement_id));
    shape.statement_id = e.command.statement_id;
  }
  if ((flags & ShapeFlags::number) != 0) values.number(e.command.number);
  if ((flags & ShapeFlags::answered_statement_id) != 0) values.number(e.answer.statement_id);
  for (const Literal& literal : literals_) {
    if (literal.kind == Literal::Kind::number) values.number(literal.number);
    else values.piece(as_bytes(literal.piece));
  }
  std::uint64_t text_bytes = e.command.text.size();
  values.piece_bytes = 0;
  values.parameters(e.command.parameters);
  values.parameters(e.command.attributes);
  std::uint64_t overhead = e.request_bytes - values.piece_bytes - (sends_its_text(e.command.code) ? text_bytes : 0);
  lanes[Lane::request_bytes].difference(between(shape.request_overhead, overhead));
  shape.request_overhead = overhead;

  overhead = e.response_bytes;
  for (const mysql::Result& result : e.answer.results) {
    if (const auto* set = std::get_if<mysql::ResultSet>(&result)) {
      add_rows(lanes, set->rows);
      for (std::size_t i = 0; i < set->rows.size(); ++i) overhead -= set->rows.row(i).size() + 4;
      if ((flags_of(result) & ResultFlags::stored_digests) != 0) {
        const mysql::RowDigests d = set->digests();
        for (std::uint64_t part : {d.rows, d.ordered_high, d.ordered_low, d.multiset_high, d.multiset_low, d.sum64}) lanes[Lane::digests].number(part);
      }
    } else if (const auto* ok = std::get_if<mysql::Ok>(&result)) {
      lanes[Lane::results].number(ok->affected_rows);
      lanes[Lane::results].difference(between(shape.last_insert_id, ok->last_insert_id));
      shape.last_insert_id = ok->last_insert_id;
      if (!ok->info.empty()) lanes[Lane::texts].text(ok->info);
      if (!ok->gtid.empty()) lanes[Lane::texts].text(ok->gtid);
    } else {
      lanes[Lane::texts].text(std::get<mysql::ServerError>(result).message);
    }
  }
  lanes[Lane::response_bytes].difference(between(shape.response_overhead, overhead));
  shape.response_overhead = overhead;
}

void ExchangeEncoder::end_block(LaneWriters& lanes) {
  // Many captures' clocks tick in microseconds.
  std::int64_t unit = 1000;
  auto each = [&](auto&& visit) {
    visit(Lane::request_first, times_.request_first);
    visit(Lane::request_span, times_.request_span);
    visit(Lane::response_wait, times_.response_wait);
    visit(Lane::response_span, times_.response_span);
  };
  each([&](Lane, const std::vector<std::int64_t>& times) {
    if (!std::all_of(times.begin(), times.end(), [](std::int64_t time) { return time % 1000 == 0; })) unit = 1;
  });
  if (!times_.request_first.empty()) lanes[Lane::times_unit].number(static_cast<std::uint64_t>(unit));
  each([&](Lane lane, std::vector<std::int64_t>& times) {
    for (std::int64_t time : times) lanes[lane].difference(time / unit);
    times.clear();
  });
  expected_ = {};
  shapes_.clear();
  expected_row_ = 0;
}

// Reading.
struct ExchangeDecoder::Shape : ExchangeShape {
  std::uint64_t number_literals = 0, piece_literals = 0;
  std::size_t row_bytes = 0;  // of the last answer of this shape
};

ExchangeDecoder::ExchangeDecoder() = default;
ExchangeDecoder::~ExchangeDecoder() = default;

bool ExchangeDecoder::begin_block(LaneReaders& lanes, std::uint32_t rows_before) {
  if (rows_before < rows_.size() || rows_before > row_window::most_rows) return false;
  rows_.skip_to(rows_before);  // rows of blocks that were damaged
  expected_ = {};
  expected_row_ = 0;
  shapes_.clear();
  WireReader& shapes = lanes[Lane::shapes];
  while (!shapes.at_end()) {
    WireReader bytes(shapes.bytes());
    Shape& shape = shapes_.emplace_back();
    if (!shapes.ok() || !decode_shape(bytes, shape)) return false;
    shape.number_literals = static_cast<std::uint64_t>(std::count(shape.skeleton.begin(), shape.skeleton.end(), skeleton::number));
    shape.piece_literals = static_cast<std::uint64_t>(std::count_if(
        shape.skeleton.begin(), shape.skeleton.end(), [](char c) { return c == skeleton::piece || c == skeleton::whole; }));
  }
  unit_ = 1;
  if (WireReader& unit = lanes[Lane::times_unit]; !unit.at_end()) unit_ = static_cast<std::int64_t>(unit.number());
  return unit_ == 1 || unit_ == 1000;
}

bool ExchangeDecoder::next_head(LaneReaders& lanes, Exchange& e) {
  shape_ = static_cast<std::size_t>(lanes[Lane::shape].number());
  if (!lanes[Lane::shape].ok() || shape_ >= shapes_.size()) return false;
  const Shape& shape = shapes_[shape_];
  e.id.session.value = advance(expected_.session, lanes[Lane::session].difference());
  Expectations::OfSession& session = expected_.of_session(e.id.session.value);
  e.id.seq = static_cast<std::uint32_t>(advance(session.next_seq, lanes[Lane::seq].difference()));
  session.next_seq = e.id.seq + std::uint64_t{1};
  e.provenance.file = static_cast<std::uint32_t>(advance(expected_.file, lanes[Lane::file].difference()));
  e.provenance.packet.value = advance(expected_.packet, lanes[Lane::packet].difference());

  auto time = [&](Lane lane) { return static_cast<std::int64_t>(static_cast<std::uint64_t>(lanes[lane].difference()) * static_cast<std::uint64_t>(unit_)); };
  std::uint64_t at = session.last_time;
  e.request_first = time_of(advance(at, time(Lane::request_first)));
  expected_.request_first = at;
  e.request_last = time_of(advance(at, time(Lane::request_span)));
  e.response_first = e.response_last = CaptureTime();
  if ((shape.flags & ShapeFlags::response_times) != 0) {
    e.response_first = time_of(advance(at, time(Lane::response_wait)));
    e.response_last = time_of(advance(at, time(Lane::response_span)));
  }
  session.last_time = at;
  return true;
}

void ExchangeDecoder::name_head(Exchange& e) const {
  const Exchange& prototype = shapes_[shape_].prototype;
  e.user = prototype.user, e.schema = prototype.schema, e.command.code = prototype.command.code;
}

bool ExchangeDecoder::next_alone(LaneReaders& lanes, Exchange& e) {
  if (!next_head(lanes, e)) return false;
  name_head(e);
  return true;
}

bool ExchangeDecoder::learn_rows(LaneReaders& lanes) {
  while (!lanes[Lane::rows].at_end()) {
    std::uint64_t how = lanes[Lane::rows].number();
    if (how >= row_window::first_reference) continue;
    Bytes row = lanes[Lane::row_bytes].raw(lanes[Lane::row_lengths].number());
    if (how != row_window::remembered) continue;
    if (!lanes.ok() || !rows_.takes(row.size())) return false;
    rows_.add(row);
  }
  return lanes.ok();
}

bool ExchangeDecoder::read_rows(LaneReaders& lanes, mysql::RowBatch& rows, std::uint64_t& row_bytes, Part part, Outcome& outcome) {
  std::uint64_t count = lanes[Lane::row_counts].number();
  for (std::uint64_t i = 0; i < count && lanes[Lane::rows].ok(); ++i) {
    std::uint64_t how = lanes[Lane::rows].number();
    Bytes row;
    if (how >= row_window::first_reference) {
      std::uint64_t number = expected_row_;
      advance(number, unzigzag(how - row_window::first_reference));
      if (number >= row_window::most_rows) return false;
      expected_row_ = static_cast<std::uint32_t>(number) + 1;
      auto found = rows_.row(number);
      if (!found) outcome = Outcome::without_rows;
      else row = *found;
    } else {
      row = lanes[Lane::row_bytes].raw(lanes[Lane::row_lengths].number());
      if (how == row_window::remembered) {
        if (!rows_.takes(row.size())) return false;
        expected_row_ = rows_.size() + 1;
        rows_.add(row);
      }
    }
    row_bytes += row.size() + 4;
    if (row_bytes > most_row_bytes) return false;
    if (part == Part::all) rows.add(row);
  }
  return lanes[Lane::rows].ok() && lanes[Lane::row_bytes].ok();
}

ExchangeDecoder::Outcome ExchangeDecoder::next_body(LaneReaders& lanes, Exchange& e, Part part) {
  Shape& shape = shapes_[shape_];
  Expectations::OfShape& expected = expected_.of_shape(shape_);
  bool all = part == Part::all;
  if (all) {
    const std::tuple head(e.id, e.provenance, e.request_first, e.request_last, e.response_first, e.response_last);
    storage_.take_from(e);
    e = shape.prototype;
    std::tie(e.id, e.provenance, e.request_first, e.request_last, e.response_first, e.response_last) = head;
  } else {
    name_head(e);
  }
  ValueReader values{lanes};
  if ((shape.flags & ShapeFlags::statement_id) != 0) {
    e.command.statement_id = static_cast<std::uint32_t>(advance(expected.statement_id, lanes[Lane::numbers].difference()));
  }
  if ((shape.flags & ShapeFlags::number) != 0) e.command.number = static_cast<std::uint32_t>(values.number());
  if ((shape.flags & ShapeFlags::answered_statement_id) != 0) e.answer.statement_id = static_cast<std::uint32_t>(values.number());
  std::string& text = e.command.text;
  text.clear();
  if (all) {
    for (char c : shape.skeleton) {
      if (c == skeleton::number) text += std::to_string(values.number());
      else if (c == skeleton::piece || c == skeleton::whole) text += as_text(values.piece());
      else text += c;
    }
  } else {
    for (std::uint64_t i = 0; i < shape.number_literals; ++i) values.number();
    for (std::uint64_t i = 0; i < shape.piece_literals; ++i) values.piece();
  }
  values.piece_bytes = 0;
  values.parameters(all ? &e.command.parameters : nullptr, shape.parameters);
  values.parameters(all ? &e.command.attributes : nullptr, shape.attributes);
  e.request_bytes = advance(expected.request_overhead, lanes[Lane::request_bytes].difference()) + values.piece_bytes +
                    (sends_its_text(shape.prototype.command.code) ? text.size() : 0);

  Outcome outcome = Outcome::whole;
  mysql::RowBatch nowhere;
  std::uint64_t row_bytes = 0;
  for (std::size_t i = 0; i < shape.results.size(); ++i) {
    const mysql::Result& kind = shape.prototype.answer.results[i];
    if (std::holds_alternative<mysql::ResultSet>(kind)) {
      auto* set = all ? &std::get<mysql::ResultSet>(e.answer.results[i]) : nullptr;
      if (set) storage_.lend(set->rows, shape.row_bytes);
      if (!read_rows(lanes, set ? set->rows : nowhere, row_bytes, part, outcome)) return Outcome::damaged;
      if (set) shape.row_bytes = set->rows.byte_size();
      if ((shape.results[i] & ResultFlags::stored_digests) != 0) {
        mysql::RowDigests d;
        for (std::uint64_t* to : {&d.rows, &d.ordered_high, &d.ordered_low, &d.multiset_high, &d.multiset_low, &d.sum64}) *to = lanes[Lane::digests].number();
        if (set) set->streamed = d;
      }
    } else if (std::holds_alternative<mysql::Ok>(kind)) {
      mysql::Ok ok = std::get<mysql::Ok>(kind);
      ok.affected_rows = lanes[Lane::results].number();
      ok.last_insert_id = advance(expected.last_insert_id, lanes[Lane::results].difference());
      if ((shape.results[i] & ResultFlags::info) != 0) ok.info = lanes[Lane::texts].text();
      if ((shape.results[i] & ResultFlags::gtid) != 0) ok.gtid = lanes[Lane::texts].text();
      if (all) e.answer.results[i] = std::move(ok);
    } else {
      if (std::string message = lanes[Lane::texts].text(); all) std::get<mysql::ServerError>(e.answer.results[i]).message = std::move(message);
    }
  }
  e.response_bytes = advance(expected.response_overhead, lanes[Lane::response_bytes].difference()) + row_bytes;
  if (!lanes.ok()) return Outcome::damaged;
  if (all && outcome == Outcome::without_rows) {
    e.answer = {};
    e.answer.state = mysql::Answer::State::unobserved;
    e.answer.why_unobserved = "its rows are in a damaged part of the recording";
    e.response_first = e.response_last = CaptureTime();
  }
  return outcome;
}

}  // namespace darktap::session
