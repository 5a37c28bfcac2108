#include "store/model.h"
#include "test_support/catch.h"
#include "test_support/property.h"

using namespace darktap;
using store::Bin;
using store::Ledger;

TEST_CASE("a ledger's total is the sum of its bins, whatever is added and moved") {
  require_property("total follows", [](const std::vector<std::pair<std::uint8_t, std::uint8_t>>& steps) {
    Ledger ledger;
    std::uint64_t added = 0;
    for (auto [from, to] : steps) {
      Bin a = static_cast<Bin>(from % store::bin_count), b = static_cast<Bin>(to % store::bin_count);
      if (from % 3 == 0) {
        ledger.add(a, "reason", to);
        added += to;
      } else {
        ledger.move(a, b);
      }
    }
    RC_ASSERT(ledger.total() == added);
  });
}

TEST_CASE("a reason counts within its bin") {
  Ledger ledger;
  ledger.add(Bin::skipped, "write", 2);
  ledger.add(Bin::skipped, "unsafe: user_lock");
  ledger.add(Bin::skipped);
  CHECK(ledger.of(Bin::skipped) == 4);
  CHECK(ledger.reasons().at(Bin::skipped).at("write") == 2);
  CHECK(ledger.reasons().at(Bin::skipped).at("unsafe: user_lock") == 1);
}

TEST_CASE("moving out of an empty bin changes nothing") {
  Ledger ledger;
  ledger.move(Bin::pending, Bin::compared);
  CHECK(ledger.total() == 0);
  ledger.add(Bin::pending);
  ledger.move(Bin::pending, Bin::skipped, "write");
  CHECK(ledger.of(Bin::pending) == 0);
  CHECK(ledger.of(Bin::skipped) == 1);
  CHECK(ledger.reasons().at(Bin::skipped).at("write") == 1);
}

TEST_CASE("every bin and status has the contract's name") {
  std::string names;
  for (std::size_t i = 0; i < store::bin_count; ++i) names += std::string(to_string(static_cast<Bin>(i))) + " ";
  CHECK(names == "observed compared skipped shed unobserved opaque undecodable target_failed pending ");
  for (const char* status : {"open", "accepted", "fixed", "ignored"}) {
    CHECK(to_string(store::parse_triage_status(status).value()) == status);
  }
  CHECK_FALSE(store::parse_triage_status("closed"));
}
