// How --dry-run shows a plan.
#pragma once

#include <string>

#include "run/plan.h"

namespace darktap::cli {

std::string plan_as_text(const run::Plan& plan);
std::string plan_as_json(const run::Plan& plan);

}  // namespace darktap::cli
