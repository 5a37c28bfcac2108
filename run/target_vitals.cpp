#include "target_vitals.h"

#include <charconv>

namespace darktap::run {

namespace {

std::optional<std::uint64_t> number(const std::string& text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || text.empty()) return std::nullopt;
  return value;
}

// The named column of a row, or the last where no name is given.
std::optional<std::string> cell(const mysql::ResultSet& rows, std::size_t row, std::initializer_list<std::string_view> names) {
  auto cells = mysql::decode_row(rows.rows.row(row), rows.columns, rows.format);
  if (!cells || cells->empty()) return std::nullopt;
  if (names.size() == 0) return cells->back().text;
  for (std::size_t c = 0; c < rows.columns.size(); ++c)
    for (std::string_view name : names)
      if (rows.columns[c].name == name && !(*cells)[c].is_null) return (*cells)[c].text;
  return std::nullopt;
}

}  // namespace

void TargetVitals::ask() {
  if (waiting_ > 0) return;
  if (limits_.threads_running) ask_status("Threads_running", threads_running_);
  if (limits_.memory_bytes) ask_status("Memory_used", memory_bytes_);
  if (limits_.replication_lag) ask_lag("SHOW REPLICA STATUS");
}

void TargetVitals::put(const std::string& sql, std::function<void(const mysql::Answer*)> answered) {
  mysql::Command command;
  command.code = mysql::CommandCode::query;
  command.text = sql;
  command.text_state = mysql::Command::Text::known;
  ++waiting_;
  asker_.ask("", 0, std::move(command), [this, alive = std::weak_ptr<int>(alive_), answered = std::move(answered)](Expected<client::Reply, std::string>&& reply) {
    if (alive.expired()) return;
    --waiting_;
    answered(reply ? &reply->answer : nullptr);
  });
}

void TargetVitals::ask_status(const char* variable, std::optional<std::uint64_t>& into) {
  put("SHOW GLOBAL STATUS LIKE '" + std::string(variable) + "'", [&into](const mysql::Answer* answer) {
    into.reset();
    const mysql::ResultSet* rows = answer != nullptr ? answer->first_rows() : nullptr;
    if (rows == nullptr || rows->rows.empty()) return;
    if (auto text = cell(*rows, 0, {})) into = number(*text);
  });
}

// Older servers know the older words.
void TargetVitals::ask_lag(const char* statement) {
  bool is_new = statement == std::string_view("SHOW REPLICA STATUS");
  put(statement, [this, is_new](const mysql::Answer* answer) {
    lag_.reset();
    if (answer == nullptr) return;
    if (answer->error() != nullptr) {
      if (is_new) ask_lag("SHOW SLAVE STATUS");
      return;
    }
    const mysql::ResultSet* rows = answer->first_rows();
    for (std::size_t row = 0; rows != nullptr && row < rows->rows.size(); ++row) {
      auto text = cell(*rows, row, {"Seconds_Behind_Source", "Seconds_Behind_Master"});
      auto seconds = text ? number(*text) : std::nullopt;
      if (seconds) lag_ = std::max(lag_.value_or(std::chrono::seconds(0)), std::chrono::seconds(*seconds));
    }
  });
}

void TargetVitals::tell(Breaker::Look& look) const {
  look.threads_running = threads_running_;
  look.memory_bytes = memory_bytes_;
  look.replication_lag = lag_;
}

}  // namespace darktap::run
