#include "inspect_line.h"

#include <cstdio>

#include "session/render.h"
#include "session/understanding.h"

namespace darktap::cli {

namespace {

using mysql::AnswerKind;

void text_or_null(JsonWriter& json, const char* key, const std::string& text) {
  if (text.empty()) json.key(key).null();
  else json.member(key, text);
}

bool has_parameters(mysql::CommandCode code) {
  return code == mysql::CommandCode::stmt_execute || code == mysql::CommandCode::stmt_bulk_execute;
}

void write_outcome(JsonWriter& json, const session::Exchange& e) {
  AnswerKind kind = e.answer.kind();
  json.member("outcome", mysql::to_string(kind));
  auto member = [&](const char* key, bool applies, std::uint64_t value) {
    if (applies) json.member(key, value);
    else json.key(key).null();
  };
  const mysql::Ok* ok = kind == AnswerKind::unobserved ? nullptr : e.answer.last_ok();
  member("rows", kind != AnswerKind::unobserved && e.answer.first_rows() != nullptr, e.answer.row_count());
  member("affected_rows", ok != nullptr, ok ? ok->affected_rows : 0);
  member("last_insert_id", ok != nullptr, ok ? ok->last_insert_id : 0);
  member("warnings", kind == AnswerKind::rows || kind == AnswerKind::ok, e.answer.warnings());
  const mysql::ServerError* error = kind == AnswerKind::error ? e.answer.error() : nullptr;
  if (error == nullptr) json.key("error").null();
  else json.key("error").begin_object().member("code", error->code).member("sqlstate", error->sqlstate).member("message", error->message).end_object();
}

std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text;
}

}  // namespace

std::string inspect_json(const session::SessionInfo& session, const session::Exchange& e, const sql::Meaning& meaning) {
  bool statement = session::carries_statement(e.command.code);
  bool text_known = statement && e.command.text_state == mysql::Command::Text::known;
  JsonWriter json;
  json.begin_object();
  json.member("session", e.id.session.value).member("seq", e.id.seq).member("time", to_rfc3339(e.request_first));
  json.member("client", to_string(session.client)).member("server", to_string(session.server));
  text_or_null(json, "user", e.user);
  text_or_null(json, "schema", e.schema);
  json.member("command", std::string(mysql::command_name(e.command.code)));
  if (text_known) {
    session::Utf8Text sql = session::to_utf8(e.command.text, e.collation);
    json.member("sql", sql.text);
    if (sql.loss == session::Utf8Text::Loss::some) json.member("sql_hex", to_hex(as_bytes(e.command.text)));
    else json.key("sql_hex").null();
  } else {
    json.key("sql").null().key("sql_hex").null();
  }
  json.key("params");
  if (has_parameters(e.command.code)) session::write_parameters(json, e.command, e.collation);
  else json.null();
  if (text_known) json.member("fingerprint", to_hex(meaning.fingerprint)).member("normalized", session::to_utf8(meaning.normalized, e.collation).text);
  else json.key("fingerprint").null().key("normalized").null();
  json.member("class", sql::to_string(meaning.statement_class));
  write_outcome(json, e);
  json.member("request_bytes", e.request_bytes).member("response_bytes", e.response_bytes);
  bool timed = e.is_observed();
  if (timed) {
    json.member("latency_first_us", to_microseconds(e.response_first - e.request_last));
    json.member("latency_us", to_microseconds(e.response_last - e.request_last));
  } else {
    json.key("latency_first_us").null().key("latency_us").null();
  }
  json.member("certain", e.certainty == session::Exchange::Certainty::certain);
  std::string why = e.why.empty() ? e.answer.why_unobserved : e.why;
  text_or_null(json, "why", why);
  return json.end_object().take();
}

std::string inspect_text(const session::SessionInfo& session, const session::Exchange& e, const sql::Meaning& meaning) {
  AnswerKind kind = e.answer.kind();
  char head[160];
  std::snprintf(head, sizeof head, "%s %s #%llu.%u %-12s ", to_rfc3339(e.request_first).substr(11, 15).c_str(), to_string(session.client).c_str(),
                static_cast<unsigned long long>(e.id.session.value), e.id.seq, std::string(sql::to_string(meaning.statement_class)).c_str());
  std::string line = head;
  if (e.is_observed()) {
    char latency[32];
    std::snprintf(latency, sizeof latency, "%9lld us  ", static_cast<long long>(to_microseconds(e.response_last - e.request_last)));
    line += latency;
  } else {
    line += "        -     ";
  }
  if (kind == AnswerKind::rows) line += std::to_string(e.answer.row_count()) + " rows";
  else if (kind == AnswerKind::ok && e.answer.last_ok() != nullptr) line += "ok, " + std::to_string(e.answer.last_ok()->affected_rows) + " affected";
  else if (kind == AnswerKind::error) line += "error " + std::to_string(e.answer.error()->code);
  else line += mysql::to_string(kind);
  line += "  ";
  line += mysql::command_name(e.command.code);
  if (!e.command.text.empty()) line += " " + one_line(session::to_utf8(e.command.text, e.collation).text);
  if (has_parameters(e.command.code)) {
    JsonWriter parameters;
    session::write_parameters(parameters, e.command, e.collation);
    line += "  " + parameters.take();
  }
  if (e.certainty == session::Exchange::Certainty::inferred) line += "  (uncertain: " + e.why + ")";
  // Where its bytes are: the packet that ended the request, in the capture it came from.
  line += "  [packet " + std::to_string(e.provenance.packet.value) + (e.provenance.file == 0 ? "" : " of file " + std::to_string(e.provenance.file + 1)) + "]";
  return line;
}

}  // namespace darktap::cli
