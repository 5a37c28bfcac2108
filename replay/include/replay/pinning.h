// What is set before a captured statement, so that the target makes the values that the source made: the clock, the first
// generated id. Pure.
#pragma once

#include <optional>
#include <string>

#include "session/exchange.h"
#include "sql/meaning.h"

namespace darktap::replay {

// True where the statement asks for the time, by name.
bool asks_the_time(const sql::Meaning& meaning);

// The id that an INSERT's first row was given; nothing where it made none, or where the answer's id is not one that was made for
// the first row.
std::optional<std::uint64_t> first_generated_id(const session::Exchange& exchange, const sql::Meaning& meaning);

// A SET statement, or empty where nothing can depend on it. `clock`: the source's own time of the statement, where an answer
// told it; else the time at which the tap saw the request's end. Writes are always given the time: a column's default, ON
// UPDATE or a trigger may use it.
std::string pin_for(const session::Exchange& exchange, const sql::Meaning& meaning, std::optional<CaptureTime> clock = std::nullopt);

}  // namespace darktap::replay
