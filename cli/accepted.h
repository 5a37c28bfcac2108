// What a team has accepted: findings that `darktap check` tells and doesn't count.
#pragma once

#include <set>
#include <string>

namespace darktap::cli {

// Reads ids of findings from a JSON file of one of these shapes:
//   a report (`darktap report --format json`): its findings, but for those whose triage says "fixed";
//   {"accepted": [ID, {"id": ID, …}]}, or that list alone. Other members (a reason, a ticket) are for people.
// Throws Failure(usage) that names the file and what is wrong in it.
std::set<std::string, std::less<>> read_accepted(const std::string& path);

}  // namespace darktap::cli
