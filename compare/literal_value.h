// What a literal in a statement stands for, as far as its text tells.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/dialect.h"

namespace darktap::compare {

// As a server stores it whatever the column's type, but for the spelling of numbers and times: 'it''s' is it's, 'a' 'b' is ab, TRUE is 1.
// Nothing for NULL and DEFAULT, and for x'0a' and b'01', which are bytes in one column and a number in another.
std::optional<std::string> literal_text(std::string_view literal, const sql::Dialect& dialect);

// All that it may stand for: x'31' is '1' or 49. Empty where that isn't known.
std::vector<std::string> literal_readings(std::string_view literal, const sql::Dialect& dialect);

}  // namespace darktap::compare
