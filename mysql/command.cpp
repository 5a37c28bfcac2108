#include "mysql/command.h"

#include "values.h"

namespace darktap::mysql {

std::string print_parameter(const Parameter& parameter) {
  if (parameter.presence != Parameter::Presence::value) return {};
  std::uint16_t flags = parameter.sign == Parameter::Sign::unsigned_ ? column_flag::unsigned_ : std::uint16_t{0};
  auto text = print_binary_value(parameter.bytes, parameter.type, {.flags = flags, .length = 4, .decimals = any_decimals});
  return text ? *std::move(text) : std::string(as_text(parameter.bytes));
}

}  // namespace darktap::mysql
