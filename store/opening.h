// Opening a store: creation (0600, never through a symbolic link, all or nothing), schema steps, and the refusal of files
// that aren't ours.
#pragma once

#include <string>

#include "database.h"

namespace darktap::store {

// "dtap" in SQLite's application_id: tells our files from other people's databases.
inline constexpr std::int64_t application_id = 0x64746170;

// Opens for writing, creating the store where it doesn't exist. What can't be created leaves nothing behind.
Database open_or_create(const std::string& path);
// Opens an existing store for writing; missing is a Failure.
Database open_for_change(const std::string& path);
// Opens an existing store for reading, also in a folder that can't be written.
Database open_for_reading(const std::string& path);

}  // namespace darktap::store
