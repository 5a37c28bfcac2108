// How the write that explains a read is told: which one it was, whose, and how long before.
#include "investigator.h"
#include "session/render.h"

namespace darktap::compare {

void Investigator::write_attribution(JsonWriter& json, const Attribution& found) const {
  const SeenWrite& write = *found.write;
  json.key("write").begin_object().member("session", write.id.session.value).member("seq", write.id.seq).member("sql", write.sql);
  json.member("table", written(found.table)).key("key");
  if (found.key) json.string(*found.key);
  else json.null();
  json.member("age_us", since(visible_from(found), file_.exchange.request_first)).end_object();
  json.member("attribution", to_string(found.by));
  if (found.by == Attribution::By::same_request || (found.by == Attribution::By::own_session && !write.request_id.empty() && write.request_id == file_.scope.request_id))
    json.member("request_id", session::to_utf8(write.request_id, file_.exchange.collation).text);
  if (found.by == Attribution::By::same_host) json.member("client_host", file_.scope.host);
  if (found.shown) json.member("source_shows_what_it_wrote", true);
  if (found.uncommitted) json.member("uncommitted", true);
}

Staleness Investigator::staleness_of(const Attribution& found, std::optional<CaptureTime> agreed) const {
  CaptureTime visible = visible_from(found);
  Staleness staleness;
  staleness.table = written(found.table);
  staleness.age_us = since(visible, file_.exchange.request_first);
  staleness.stale_us = since(visible, last_stale_);
  if (agreed) staleness.agreed_us = since(visible, *agreed);
  return staleness;
}

}  // namespace darktap::compare
