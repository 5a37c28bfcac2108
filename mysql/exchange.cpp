#include "mysql/exchange.h"

#include <tuple>
#include <utility>

namespace darktap::mysql {

namespace {

// A new member that is forgotten here doesn't compile.
auto members(Command& c) {
  auto& [code, text, text_state, statement_id, cursor_flags, parameters, bulk_rows, attributes, number] = c;
  return std::tie(code, text, text_state, statement_id, cursor_flags, parameters, bulk_rows, attributes, number);
}
auto members(Answer& a) {
  auto& [results, statement_id, parameter_count, column_count, state, why_unobserved] = a;
  return std::tie(results, statement_id, parameter_count, column_count, state, why_unobserved);
}
auto own_members(Exchange& e) {
  auto& [id, provenance, user, schema, collation, command, answer, request_first, request_last, response_first, response_last, request_bytes, response_bytes, certainty, why] = e;
  static_cast<void>(command), static_cast<void>(answer);
  return std::tie(id, provenance, user, schema, collation, request_first, request_last, response_first, response_last, request_bytes, response_bytes, certainty, why);
}

template <typename Members>
void swap_all(Members a, Members b) {
  a.swap(b);
}

}  // namespace

void swap(Exchange& a, Exchange& b) noexcept {
  swap_all(members(a.command), members(b.command));
  swap_all(members(a.answer), members(b.answer));
  swap_all(own_members(a), own_members(b));
}

}  // namespace darktap::mysql
