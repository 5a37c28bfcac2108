// The parts of the JSON report, for the page's API, which shows the same things in other portions. Each writes members
// into the object that is open.
#pragma once

#include <vector>

#include "base/json.h"
#include "store/model.h"

namespace darktap::report {

void write_run_members(JsonWriter& json, const store::RunInfo& run);
void write_ledger_members(JsonWriter& json, const store::Ledger& ledger);      // "ledger", "ledger_reasons"
void write_coverage_member(JsonWriter& json, const store::Coverage& coverage);  // "coverage"
void write_latency_member(JsonWriter& json, const std::vector<store::LatencyRow>& rows);  // "latency"
void write_staleness_member(JsonWriter& json, const std::vector<store::StalenessRow>& rows);  // "staleness"
void write_finding_members(JsonWriter& json, const store::Finding& finding);   // all but evidence and examples
void write_examples_members(JsonWriter& json, const store::Finding& finding);  // "evidence", "examples"

}  // namespace darktap::report
