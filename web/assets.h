// The built page (web/ui, by Vite), embedded at build time (cmake/web_ui.cmake).
#pragma once

#include <span>
#include <string_view>

namespace darktap::web {

struct Asset {
  std::string_view path;  // "index.html", "assets/index-4f2a.js"
  std::string_view bytes;
};

std::span<const Asset> assets();

}  // namespace darktap::web
