// Where the shared captures and SQL corpora are; tests that need them skip, with the reason, where they are not.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

inline std::optional<std::filesystem::path> corpus_path(const std::string& relative) {
  const char* root = std::getenv("DARKTAP_CORPUS");
  std::filesystem::path path = std::filesystem::path(root ? root : "../shared") / relative;
  if (std::error_code none; std::filesystem::exists(path, none)) return path;
  return std::nullopt;
}
