#include "run/metrics.h"

#include <cstdio>

namespace darktap::run {

namespace {

// Label values: backslash, quote and line feed are escaped.
std::string label(const std::string& value) {
  std::string out;
  for (char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') out += "\\n";
    else out += c;
  }
  return out;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

struct Page {
  std::string text, labels;

  void family(const char* name, const char* type, const char* help) {
    text += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
  }
  void sample(const std::string& name, const std::string& more, const std::string& value) { text += name + "{" + labels + more + "} " + value + "\n"; }
  void one(const char* name, const char* type, const char* help, const std::string& value) {
    family(name, type, help);
    sample(name, "", value);
  }
};

}  // namespace

std::string to_prometheus(const Progress& p, std::int64_t run) {
  Page page;
  page.labels = "run=\"" + std::to_string(run) + "\"";
  page.one("darktap_run_seconds", "gauge", "Since the run began.", number(std::chrono::duration<double>(p.elapsed).count()));
  page.one("darktap_exchanges_expected", "gauge", "Exchanges of the recording; 0 where that is not known.", std::to_string(p.total));
  page.family("darktap_exchanges", "gauge", "The ledger: exchanges by bin.");
  std::uint64_t done = 0;
  for (std::size_t i = 0; i < store::bin_count; ++i) {
    auto bin = static_cast<store::Bin>(i);
    if (bin == store::Bin::observed) continue;
    done += p.ledger.of(bin);
    page.sample("darktap_exchanges", ",bin=\"" + std::string(store::to_string(bin)) + "\"", std::to_string(p.ledger.of(bin)));
  }
  page.one("darktap_done_total", "counter", "Exchanges that have their bin.", std::to_string(done));
  page.one("darktap_sent_total", "counter", "Commands sent to the target.", std::to_string(p.sent));
  page.one("darktap_sent_per_second", "gauge", "Commands sent to the target in the last second.", number(p.sent_per_second));
  page.one("darktap_recorded_per_second", "gauge", "Exchanges a second in the recording, over all of it.", number(p.recorded_per_second));
  page.one("darktap_errors_total", "counter", "Commands that the target failed or answered by an error that the source had not.", std::to_string(p.errors));
  page.one("darktap_connections", "gauge", "Connections to the target.", std::to_string(p.connections));
  page.one("darktap_connections_lost_total", "counter", "Connections to the target lost with a command in flight.", std::to_string(p.connections_lost));
  page.one("darktap_connections_refused_total", "counter", "Logins that the target refused for too many connections.", std::to_string(p.connections_refused));
  page.family("darktap_lateness_seconds", "summary", "How much later than intended commands were sent.");
  for (double share : {0.5, 0.95, 0.99})
    page.sample("darktap_lateness_seconds", ",quantile=\"" + number(share) + "\"", number(static_cast<double>(p.lateness.quantile(share)) / 1e6));
  page.sample("darktap_lateness_seconds_sum", "", number(static_cast<double>(p.lateness_sum_us) / 1e6));
  page.sample("darktap_lateness_seconds_count", "", std::to_string(p.lateness.count()));
  page.family("darktap_mismatches_total", "counter", "Verdicts by difference and cause.");
  for (const auto& [what, count] : p.mismatches_by)
    page.sample("darktap_mismatches_total", ",difference=\"" + label(what.first) + "\",cause=\"" + label(what.second) + "\"", std::to_string(count));
  page.one("darktap_open_cases", "gauge", "Mismatches whose cause is still being looked for.", std::to_string(p.open_cases));
  page.one("darktap_questions_total", "counter", "Questions put to target and reference.", std::to_string(p.questions));
  page.one("darktap_kernel_drops_total", "counter", "Packets that the kernel dropped before the tap read them.", std::to_string(p.kernel_drops));
  return page.text;
}

}  // namespace darktap::run
