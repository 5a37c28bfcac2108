#include "foreign_keys.h"

#include <algorithm>
#include <array>
#include <utility>

namespace darktap::compare {

namespace {

void add_tables(const mysql::ServerError* error, ReadScope& scope) {
  constexpr std::array<std::uint16_t, 4> codes{1216, 1217, 1451, 1452};
  if (error == nullptr || std::find(codes.begin(), codes.end(), error->code) == codes.end()) return;
  std::string_view text = error->message;
  auto name_at = [&](std::size_t at) -> std::string {
    if (at >= text.size() || text[at] != '`') return {};
    std::size_t end = text.find('`', at + 1);
    return end == std::string_view::npos ? std::string() : std::string(text.substr(at + 1, end - at - 1));
  };
  std::size_t child = text.find("(`"), parent = text.find("REFERENCES `");
  if (child == std::string_view::npos || parent == std::string_view::npos) return;
  auto add = [&](std::size_t at, std::string schema) {
    std::string name = name_at(at);
    std::size_t behind = at + name.size() + 2;
    if (behind < text.size() && text[behind] == '.') schema = std::exchange(name, name_at(behind + 1));
    if (!schema.empty() && !name.empty()) scope.tables.push_back({sql::QualifiedName{schema, name}, {}, {}, false});
  };
  add(child + 1, "");
  add(parent + 11, name_at(child + 1));
}

}  // namespace

ReadScope scope_of_foreign_key(std::initializer_list<const mysql::ServerError*> errors, const ReadScope& statement) {
  ReadScope scope;
  scope.id = statement.id;
  scope.request = statement.request;
  scope.response = statement.response;
  for (const mysql::ServerError* error : errors) add_tables(error, scope);
  // Of its own tables more is known: which rows it meets.
  std::erase_if(scope.tables, [&](const auto& named) {
    return std::any_of(statement.tables.begin(), statement.tables.end(), [&](const auto& own) { return own.name == named.name; });
  });
  return scope;
}

}  // namespace darktap::compare
