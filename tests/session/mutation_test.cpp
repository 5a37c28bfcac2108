// Real captures, damaged by a seed: packets lost, sent twice, in another order, or all before the tap began. An exchange whose
// bytes were not touched is found as it was; one that was touched is unobserved, or whole where the loss was repaired; none
// is paired wrongly or invented.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>

#include "captured.h"
#include "test_support/catch.h"
#include "test_support/corpus.h"

using namespace darktap;
using namespace darktap::session;

namespace {

struct StoredPacket {
  capture::PacketView view;
  std::vector<std::byte> bytes;
};

struct Capture {
  std::string name;
  std::vector<StoredPacket> packets;
  std::vector<std::optional<Endpoint>> client;  // of the connection that a packet carries bytes of
  Captured whole;
};

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Captured play(const std::vector<const StoredPacket*>& packets, mysql::KeyLog* keys) {
  Captured captured;
  AssemblerOptions options;
  options.keys = keys;
  Assembler assembler(captured, options);
  capture::Reassembler reassembler(assembler);
  CaptureTime last;
  for (const StoredPacket* packet : packets) {
    capture::PacketView view = packet->view;
    view.data = packet->bytes;
    last = std::max(last, view.time);
    reassembler.feed(view);
  }
  reassembler.finish(last);
  assembler.add_to(captured.counters);
  captured.stats = reassembler.stats();
  return captured;
}

// Where a packet's TCP payload goes: its connection's client, or nothing where it has none.
std::optional<Endpoint> client_of(const StoredPacket& packet, const std::set<Endpoint>& clients) {
  capture::PacketView view = packet.view;
  view.data = packet.bytes;
  auto segment = capture::decode_segment(view);
  if (!segment || segment->payload.empty()) return std::nullopt;
  if (clients.contains(segment->source)) return segment->source;
  if (clients.contains(segment->destination)) return segment->destination;
  return std::nullopt;
}

Capture load(const std::filesystem::path& path, mysql::KeyLog* keys) {
  Capture loaded;
  loaded.name = path.filename();
  capture::FileTap tap(path.string());
  capture::PacketView packet;
  while (tap.next(packet) == capture::Tap::Read::packet) loaded.packets.push_back({packet, {packet.data.begin(), packet.data.end()}});
  std::vector<const StoredPacket*> all;
  for (const StoredPacket& each : loaded.packets) all.push_back(&each);
  loaded.whole = play(all, keys);
  std::set<Endpoint> clients;
  for (const auto& [id, info] : loaded.whole.sessions) clients.insert(info.client);
  for (const StoredPacket& each : loaded.packets) loaded.client.push_back(client_of(each, clients));
  return loaded;
}

std::string answer_of(const Exchange& exchange) {
  std::string text = std::string(mysql::command_name(exchange.command.code)) + " " + std::string(to_string(exchange.answer.kind()));
  for (const mysql::Result& result : exchange.answer.results) {
    if (const auto* rows = std::get_if<mysql::ResultSet>(&result)) text += " r" + std::to_string(rows->digests().ordered_low) + "/" + std::to_string(rows->row_count());
    if (const auto* ok = std::get_if<mysql::Ok>(&result)) text += " o" + std::to_string(ok->affected_rows) + "/" + std::to_string(ok->last_insert_id);
    if (const auto* error = std::get_if<mysql::ServerError>(&result)) text += " e" + std::to_string(error->code);
  }
  return text;
}

bool same_text(const Exchange& a, const Exchange& b) {
  bool known = a.command.text_state == mysql::Command::Text::known && b.command.text_state == mysql::Command::Text::known;
  return !known || a.command.text == b.command.text;
}

struct Judged {
  std::size_t untouched = 0, found = 0, touched = 0;
  std::string wrong, missed;  // the first of each
};

// What can't be found by what was left: a MariaDB answer without definitions, whose PREPARE's were touched; commands without an
// answer (QUIT, CLOSE) in front of which nothing was ever answered.
bool is_beyond_finding(const Captured& whole, const Exchange& original, const Exchange* told) {
  bool executes = original.command.code == mysql::CommandCode::stmt_execute || original.command.code == mysql::CommandCode::stmt_fetch;
  bool may_lack_definitions = (whole.sessions.at(original.id.session).capabilities & mysql::capability::mariadb_cache_metadata) != 0;
  return executes && may_lack_definitions && told != nullptr && !told->is_observed();
}

// `touched` says by time whether a connection's packet between two moments is missing.
template <class Touched>
Judged judge(const Captured& part, const Captured& whole, Touched&& touched) {
  Judged judged;
  std::map<Endpoint, std::vector<const Exchange*>> seen;
  for (const auto& [id, exchanges] : part.exchanges)
    for (const Exchange& each : exchanges) seen[part.sessions.at(id).client].push_back(&each);
  for (const auto& [id, originals] : whole.exchanges) {
    Endpoint client = whole.sessions.at(id).client;
    std::vector<const Exchange*>& told = seen[client];
    std::size_t at = 0;
    // Behind the last answer that can prove the connection to be MySQL, there is nothing to find it by.
    std::size_t provable = told.empty() ? 0 : originals.size();
    for (std::size_t i = 0; i < originals.size() && provable == 0; ++i) {
      const Exchange& last = originals[originals.size() - 1 - i];
      if (last.is_observed() && !touched(client, last.request_first, last.response_last)) provable = originals.size() - i;
    }
    for (const Exchange& original : originals) {
      if (original.id.seq >= provable) break;
      if (!original.is_observed() && original.answer.state != mysql::Answer::State::none) continue;
      CaptureTime end = original.is_observed() ? original.response_last : original.request_last;
      bool was_touched = touched(client, original.request_first, end);
      ++(was_touched ? judged.touched : judged.untouched);
      // By time and code; what is told in between must be a piece of the whole, too, and is looked at when its turn comes.
      auto same = std::find_if(told.begin() + static_cast<std::ptrdiff_t>(at), told.end(), [&](const Exchange* each) {
        return each->request_first == original.request_first && each->command.code == original.command.code && same_text(*each, original) && answer_of(*each) == answer_of(original);
      });
      if (same == told.end()) {
        auto there = std::find_if(told.begin(), told.end(), [&](const Exchange* each) { return each->request_first == original.request_first; });
        if (!was_touched && is_beyond_finding(whole, original, there == told.end() ? nullptr : *there)) {
          --judged.untouched;
          continue;
        }
        if (!was_touched && judged.missed.empty()) judged.missed = std::string(mysql::command_name(original.command.code)) + " " + original.command.text.substr(0, 60) + " seq " + std::to_string(original.id.seq);
        continue;
      }
      at = static_cast<std::size_t>(same - told.begin()) + 1;
      if (!was_touched) ++judged.found;
    }
    // Nothing observed that was not.
    std::size_t next = 0;
    for (const Exchange* each : told) {
      if (!each->is_observed()) continue;
      auto real = std::find_if(originals.begin() + static_cast<std::ptrdiff_t>(next), originals.end(), [&](const Exchange& original) {
        return each->command.code == original.command.code && same_text(*each, original) && answer_of(*each) == answer_of(original);
      });
      if (real == originals.end()) {
        if (judged.wrong.empty()) judged.wrong = each->command.text.substr(0, 80) + ": " + answer_of(*each);
      } else {
        next = static_cast<std::size_t>(real - originals.begin()) + 1;
      }
    }
    seen.erase(client);
  }
  for (const auto& [client, told] : seen)
    for (const Exchange* each : told)
      if (each->is_observed() && judged.wrong.empty()) judged.wrong = "a session that is none";
  return judged;
}

}  // namespace

namespace {

struct Damage {
  std::vector<const StoredPacket*> packets;
  std::map<Endpoint, std::set<CaptureTime>> touched;
};

struct Sum {
  std::size_t runs = 0, untouched = 0, found = 0, touched = 0;
  std::string first_miss;
};

void try_damage(const Capture& capture, const Damage& damage, mysql::KeyLog* keys, Sum& sum, const std::string& what) {
  Captured part = play(damage.packets, keys);
  Judged judged = judge(part, capture.whole, [&](const Endpoint& client, CaptureTime first, CaptureTime last) {
    auto found = damage.touched.find(client);
    if (found == damage.touched.end()) return false;
    auto at = found->second.lower_bound(first);
    return at != found->second.end() && *at <= last;
  });
  INFO(capture.name << ", " << what);
  if (!judged.wrong.empty()) FAIL_CHECK("told, and not there: " << judged.wrong);
  ++sum.runs;
  sum.untouched += judged.untouched;
  sum.found += judged.found;
  sum.touched += judged.touched;
  if (judged.found < judged.untouched) {
    if (std::getenv("MUTATION_VERBOSE") != nullptr) std::cerr << capture.name << ", " << what << ": " << judged.untouched - judged.found << " missed, first " << judged.missed << "\n";
    if (sum.first_miss.empty()) sum.first_miss = capture.name + ", " + what + ": " + judged.missed;
  }
}

std::vector<Capture> captures(mysql::KeyLog& keys) {
  std::vector<Capture> loaded;
  auto folder = corpus_path("captures/clients");
  if (!folder) return loaded;
  std::vector<std::filesystem::path> paths;
  for (const auto& item : std::filesystem::directory_iterator(*folder)) {
    if (item.path().extension() == ".keylog") keys.add(text_of_file(item.path()));
    if (item.path().extension() == ".pcap") paths.push_back(item.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    loaded.push_back(load(path, &keys));
    if (loaded.back().whole.exchanges.empty()) loaded.pop_back();
  }
  return loaded;
}

void touch(Damage& damage, const Capture& capture, std::size_t i) {
  if (capture.client[i]) damage.touched[*capture.client[i]].insert(capture.packets[i].view.time);
}

}  // namespace

TEST_CASE("each packet lost in turn: what was not touched is found, nothing is invented") {
  mysql::KeyLog keys;
  auto all = captures(keys);
  if (all.empty()) DARKTAP_SKIP("the shared captures are not here");
  Sum sum;
  for (const Capture& capture : all)
    for (std::size_t lost = 0; lost < capture.packets.size(); ++lost) {
      if (!capture.client[lost]) continue;
      Damage damage;
      for (std::size_t i = 0; i < capture.packets.size(); ++i)
        if (i != lost) damage.packets.push_back(&capture.packets[i]);
      touch(damage, capture, lost);
      try_damage(capture, damage, &keys, sum, "packet " + std::to_string(lost + 1) + " lost");
    }
  WARN(sum.runs << " runs: " << sum.found << " of " << sum.untouched << " untouched exchanges found; first miss: " << sum.first_miss);
  CHECK(sum.found * 10'000 >= sum.untouched * 9'990);
}

TEST_CASE("joined at any packet: what began behind it is found, nothing is invented") {
  mysql::KeyLog keys;
  auto all = captures(keys);
  if (all.empty()) DARKTAP_SKIP("the shared captures are not here");
  Sum sum;
  for (const Capture& capture : all) {
    std::size_t step = std::max<std::size_t>(1, capture.packets.size() / 60);
    for (std::size_t start = 0; start < capture.packets.size(); start += step) {
      Damage damage;
      for (std::size_t i = 0; i < capture.packets.size(); ++i) {
        if (i < start) touch(damage, capture, i);
        else damage.packets.push_back(&capture.packets[i]);
      }
      if (std::any_of(capture.whole.sessions.begin(), capture.whole.sessions.end(), [](const auto& each) { return each.second.transport == SessionInfo::Transport::tls; })) continue;
      try_damage(capture, damage, &keys, sum, "joined at packet " + std::to_string(start + 1));
    }
  }
  WARN(sum.runs << " runs: " << sum.found << " of " << sum.untouched << " untouched exchanges found; first miss: " << sum.first_miss);
  CHECK(sum.found * 10'000 >= sum.untouched * 9'990);
}

TEST_CASE("packets lost and sent twice and reordered by a seed: what was not touched is found, nothing is invented") {
  mysql::KeyLog keys;
  auto all = captures(keys);
  if (all.empty()) DARKTAP_SKIP("the shared captures are not here");
  Sum sum;
  for (const Capture& capture : all)
    for (unsigned seed = 1; seed <= 12; ++seed) {
      std::mt19937 random(seed);
      Damage damage;
      for (std::size_t i = 0; i < capture.packets.size(); ++i) {
        unsigned fate = random() % 100;
        if (fate < 2) {  // lost, in runs as a full ring loses them
          for (unsigned run = seed % 3 == 0 ? 1 + random() % 6 : 1; run > 0 && i < capture.packets.size(); --run) touch(damage, capture, i++);
          --i;
          continue;
        }
        damage.packets.push_back(&capture.packets[i]);
        if (fate < 5) damage.packets.push_back(&capture.packets[i]);
        if (fate >= 5 && fate < 8 && damage.packets.size() >= 2 && i > 0) {
          touch(damage, capture, i);
          touch(damage, capture, i - 1);
          std::swap(damage.packets[damage.packets.size() - 1], damage.packets[damage.packets.size() - 2]);
        }
      }
      try_damage(capture, damage, &keys, sum, "seed " + std::to_string(seed));
    }
  WARN(sum.runs << " runs: " << sum.found << " of " << sum.untouched << " untouched exchanges found; first miss: " << sum.first_miss);
  CHECK(sum.found * 10'000 >= sum.untouched * 9'990);
}
