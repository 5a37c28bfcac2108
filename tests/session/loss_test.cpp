// Packets taken out of real captures: what is still told is what really happened, in its order, and little more than the
// touched exchanges is missing.
#include <random>
#include <set>

#include "captured.h"
#include "test_support/catch.h"
#include "test_support/corpus.h"

using namespace darktap;
using namespace darktap::session;

namespace {

// What an answer said, so that another's can't pass for it.
std::string answer_of(const Exchange& exchange) {
  std::string text = std::string(mysql::command_name(exchange.command.code)) + " " + std::string(to_string(exchange.answer.kind()));
  for (const mysql::Result& result : exchange.answer.results) {
    if (const auto* rows = std::get_if<mysql::ResultSet>(&result)) text += " r" + std::to_string(rows->digests().ordered_low) + "/" + std::to_string(rows->row_count());
    if (const auto* ok = std::get_if<mysql::Ok>(&result)) text += " o" + std::to_string(ok->affected_rows) + "/" + std::to_string(ok->last_insert_id);
    if (const auto* error = std::get_if<mysql::ServerError>(&result)) text += " e" + std::to_string(error->code);
  }
  return text;
}

struct Told {
  std::size_t observed = 0, unobserved = 0;
  std::string wrong;  // the first exchange that the whole capture doesn't have at its place
};

// Is each session's story what the whole capture tells, with pieces left out? Requests are known by their first packet's
// time, answers by what they said.
Told compare(const Captured& part, const Captured& whole) {
  Told told;
  std::map<Endpoint, const std::vector<Exchange>*> originals;
  for (const auto& [id, info] : whole.sessions)
    if (auto found = whole.exchanges.find(id); found != whole.exchanges.end()) originals[info.client] = &found->second;
  for (const auto& [id, exchanges] : part.exchanges) {
    auto original = originals.find(part.sessions.at(id).client);
    std::size_t at = 0;
    for (const Exchange& each : exchanges) {
      if (each.is_observed()) ++told.observed;
      else ++told.unobserved;
      if (original == originals.end()) { told.wrong = "a session that is none"; return told; }
      const std::vector<Exchange>& all = *original->second;
      auto same = [&](const Exchange& other) {
        if (each.command.code != other.command.code) return false;
        // Where a reset was lost, a closed statement still has the text that it had.
        bool comparable = each.command.text_state == mysql::Command::Text::known && other.command.text_state == mysql::Command::Text::known;
        if (comparable && each.command.text != other.command.text) return false;
        if (each.is_observed() && (!other.is_observed() || answer_of(each) != answer_of(other))) return false;
        bool touched = each.command.text_state == mysql::Command::Text::unknown;
        return touched || each.request_first == other.request_first;
      };
      while (at < all.size() && !same(all[at])) ++at;
      if (at == all.size()) {
        told.wrong = "session " + std::to_string(id.value) + " seq " + std::to_string(each.id.seq) + ": " + each.command.text.substr(0, 80) + ": " + answer_of(each);
        return told;
      }
      ++at;
    }
  }
  return told;
}

std::vector<std::filesystem::path> readable_captures(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& item : std::filesystem::directory_iterator(folder)) {
    std::string name = item.path().filename();
    if (item.path().extension() == ".pcap" && name.find("tls") == std::string::npos) paths.push_back(item.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

TEST_CASE("with any one packet lost, nothing is paired wrongly, and few exchanges are missed") {
  auto folder = corpus_path("captures/clients");
  if (!folder) DARKTAP_SKIP("the shared captures are not here");
  std::size_t runs = 0, possible = 0, found = 0;
  for (const auto& path : readable_captures(*folder)) {
    Captured whole = read_capture(path);
    std::size_t all = compare(whole, whole).observed;
    for (std::uint64_t lost = 1; lost <= whole.stats.packets; ++lost) {
      Captured part = read_capture(path, {}, [&](std::uint64_t packet) { return packet != lost; });
      Told told = compare(part, whole);
      INFO(path.filename().string() << " without packet " << lost << ": " << told.wrong);
      REQUIRE(told.wrong.empty());
      ++runs;
      possible += all;
      found += told.observed;
    }
  }
  WARN(runs << " captures, each without one packet: " << found << " of " << possible << " exchanges found whole");
  CHECK(found * 1000 >= possible * 985);
}

TEST_CASE("with packets lost at random, nothing is paired wrongly") {
  auto folder = corpus_path("captures/clients");
  if (!folder) DARKTAP_SKIP("the shared captures are not here");
  std::size_t possible = 0, found = 0;
  for (const auto& path : readable_captures(*folder)) {
    Captured whole = read_capture(path);
    std::size_t all = compare(whole, whole).observed;
    for (unsigned seed = 1; seed <= 40; ++seed) {
      std::mt19937 random(seed);
      std::set<std::uint64_t> lost;
      // Single packets, and runs as a full ring loses them.
      for (std::uint64_t packet = 1; packet <= whole.stats.packets; ++packet)
        if (random() % 40 == 0)
          for (std::uint64_t run = seed % 2 == 0 ? 1 : random() % 8; run > 0; --run) lost.insert(packet++);
      Captured part = read_capture(path, {}, [&](std::uint64_t packet) { return lost.count(packet) == 0; });
      Told told = compare(part, whole);
      INFO(path.filename().string() << " seed " << seed << ": " << told.wrong);
      REQUIRE(told.wrong.empty());
      possible += all;
      found += told.observed;
    }
  }
  WARN(found << " of " << possible << " exchanges found whole");
}
