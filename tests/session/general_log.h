// A server's general log as stories of its threads, and what a capture tells in the same words.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/command.h"

using Story = std::vector<std::string>;  // "Query SELECT 1", "Close stmt ", …

inline std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == ';' || text.back() == '\n' || text.back() == '\t')) text.pop_back();
  return text;
}
// The log escapes values, and marks what is no character by a backslash of its own. The path of a loaded file was changed
// in logs and plain captures, but could not be in compressed ones.
inline std::string comparable(std::string text) {
  if (std::size_t path = text.find("INFILE '"); path != std::string::npos) text.erase(path + 8, text.find('\'', path + 8) - path - 8);
  text.erase(std::remove(text.begin(), text.end(), '\\'), text.end());
  return text;
}

inline std::string as_quoted(std::string_view value) {
  std::string text = "'";
  for (char c : value) {
    switch (c) {
      case '\0': text += "0"; break;
      case '\n': text += "n"; break;
      case '\r': text += "r"; break;
      case '\x1a': text += "Z"; break;
      case '\\': break;
      default: text += c;
    }
  }
  return text + "'";
}

// A parameter as MySQL writes it into its log.
inline std::string as_literal(const darktap::mysql::Parameter& parameter) {
  using darktap::mysql::ColumnType;
  if (parameter.presence == darktap::mysql::Parameter::Presence::null) return "NULL";
  std::string text = darktap::mysql::print_parameter(parameter);
  switch (parameter.type) {
    case ColumnType::tiny:
    case ColumnType::short_:
    case ColumnType::long_:
    case ColumnType::longlong:
    case ColumnType::float_:
    case ColumnType::double_:
    case ColumnType::decimal:
    case ColumnType::newdecimal: return text;
    default: return as_quoted(text);
  }
}

// What one has and the other has not, for the message of a failure.
inline std::string difference(const std::vector<Story>& wire, const std::vector<Story>& log) {
  std::multiset<std::string> only_wire, only_log;
  for (const Story& story : wire) only_wire.insert(story.begin(), story.end());
  for (const Story& story : log)
    for (const std::string& each : story) {
      auto found = only_wire.find(each);
      if (found == only_wire.end()) only_log.insert(each);
      else only_wire.erase(found);
    }
  std::string text;
  for (const std::string& each : only_wire) text += "only on the wire: " + each.substr(0, 300) + "\n";
  for (const std::string& each : only_log) text += "only in the log:  " + each.substr(0, 300) + "\n";
  return text;
}

inline std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
