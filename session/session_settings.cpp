#include "session/session_settings.h"

#include <algorithm>
#include <string_view>

#include "sql/fingerprint.h"

namespace darktap::session {

namespace {

// SET and USE, or a comment in front of who knows what; most statements are spared the understanding.
bool may_be_a_setting(std::string_view text) {
  std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return false;
  text.remove_prefix(begin);
  if (text[0] == '/' || text[0] == '#' || text[0] == '-') return true;
  auto is = [&](std::string_view word) {
    return text.size() > word.size() && std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) { return a == (b | 0x20); });
  };
  return is("set") || is("use");
}

}  // namespace

void SessionSettings::on_session(const SessionInfo& info) {
  Open& open = sessions_[info.id];
  open.server_version = info.server_version;
  for (const std::string& text : info.settings) open.settings.push_back({sql::fingerprint(text, dialect_of(info.server_version, 0)).hash, text});
}

void SessionSettings::on_exchange(const Exchange& exchange) {
  const mysql::Command& command = exchange.command;
  using mysql::CommandCode;
  auto found = sessions_.find(exchange.id.session);
  if (found == sessions_.end() || exchange.answer.kind() != mysql::AnswerKind::ok) return;
  Open& open = found->second;
  if (command.code == CommandCode::change_user || command.code == CommandCode::reset_connection) {
    open.settings.clear();
    open.bytes = 0;
    return;
  }
  if (command.code != CommandCode::query || command.text_state != mysql::Command::Text::known) return;
  if (!may_be_a_setting(command.text)) return;
  auto meaning = understanding_.of(command, dialect_of(open.server_version, exchange.collation), exchange.schema);
  if (meaning->statement_class != sql::StatementClass::session) return;
  auto same = std::find_if(open.settings.begin(), open.settings.end(), [&](const Setting& s) { return s.fingerprint == meaning->fingerprint; });
  if (same != open.settings.end()) {
    open.bytes -= same->text.size();
    open.settings.erase(same);
  }
  open.settings.push_back({meaning->fingerprint, command.text});
  open.bytes += command.text.size();
  while (open.settings.size() > most_statements || (open.bytes > most_bytes && !open.settings.empty())) {
    open.bytes -= open.settings.front().text.size();
    open.settings.erase(open.settings.begin());
    ++left_out_;
  }
}

SessionInfo SessionSettings::at_this_point(const SessionInfo& info) const {
  SessionInfo now = info;
  auto found = sessions_.find(info.id);
  if (found == sessions_.end()) return now;
  now.settings.clear();
  for (const Setting& setting : found->second.settings) now.settings.push_back(setting.text);
  return now;
}

}  // namespace darktap::session
