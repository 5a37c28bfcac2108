#include "statements.h"

#include "lenenc.h"
#include "values.h"

namespace darktap::mysql {

namespace {

constexpr std::uint8_t unsigned_bit = 0x80;
constexpr std::uint8_t parameter_count_available = 0x08;
constexpr std::size_t most_parameters = 65'535;
constexpr std::size_t most_bulk_values = 10'000'000;

ParameterType read_type(ByteReader& reader) {
  ParameterType type;
  type.type = static_cast<ColumnType>(reader.u8());
  type.sign = (reader.u8() & unsigned_bit) != 0 ? Parameter::Sign::unsigned_ : Parameter::Sign::signed_;
  return type;
}

bool is_null(Bytes bitmap, std::size_t i) { return (std::to_integer<unsigned>(bitmap[i / 8]) >> (i % 8) & 1U) != 0; }

void take_type(const ParameterType& type, Parameter& parameter) {
  parameter.type = type.type;
  parameter.sign = type.sign;
  parameter.name = type.name;
  parameter.presence = Parameter::Presence::value;
}

Parameter typed(const ParameterType& type) {
  Parameter parameter;
  take_type(type, parameter);
  return parameter;
}

void take_value(ByteReader& reader, Parameter& parameter) {
  Bytes value = read_binary_value(reader, parameter.type);
  parameter.bytes.assign(value.begin(), value.end());
}

}  // namespace

Statement* Statements::find(std::uint32_t id) {
  if (id == last_prepared_id) {
    if (!last_prepared_) return nullptr;
    id = *last_prepared_;
  }
  if (last_found_ != nullptr && last_found_id_ == id) return last_found_;
  auto found = statements_.find(id);
  if (found == statements_.end()) return nullptr;
  last_found_id_ = id;
  return last_found_ = &found->second;
}

void Statements::prepared(std::uint32_t id, Statement statement) {
  last_prepared_ = id;
  failed_text_.reset();
  close(id);
  last_prepared_ = id;
  if (statements_.size() >= most_) return;  // its executions are then of unknown text, and say so
  text_bytes_ += statement.text.size();
  statements_.emplace(id, std::move(statement));
}

void Statements::not_prepared(std::string text) {
  last_prepared_.reset();
  failed_text_ = std::move(text);
}

const std::string* Statements::failed_text(std::uint32_t id) const {
  return id == last_prepared_id && failed_text_ ? &*failed_text_ : nullptr;
}

void Statements::add_long_data(std::uint32_t id, std::uint16_t parameter, Bytes data) {
  Statement* statement = find(id);
  if (statement == nullptr) return;
  if (long_data_bytes_ + data.size() > long_data_limit_ || (parameter >= statement->parameter_count)) {
    statement->long_data_state = Statement::LongData::cut;
    return;
  }
  std::vector<std::byte>& joined = statement->long_data[parameter];
  joined.insert(joined.end(), data.begin(), data.end());
  long_data_bytes_ += data.size();
}

void Statements::drop_long_data(Statement& statement) {
  for (const auto& [parameter, data] : statement.long_data) long_data_bytes_ -= data.size();
  statement.long_data.clear();
  statement.long_data_state = Statement::LongData::whole;
}

void Statements::close(std::uint32_t id) {
  Statement* statement = find(id);
  if (statement == nullptr) return;
  if (id == last_prepared_id) id = *last_prepared_;
  drop_long_data(*statement);
  text_bytes_ -= statement->text.size();
  last_found_ = nullptr;
  statements_.erase(id);
  if (last_prepared_ == id) last_prepared_.reset();
}

void Statements::clear() {
  last_found_ = nullptr;
  statements_.clear();
  last_prepared_.reset();
  failed_text_.reset();
  text_bytes_ = long_data_bytes_ = 0;
}

namespace {

// Behind the iteration count: `counted`, where query attributes are in force, the number of values and a name with each type
// (protocol: COM_STMT_EXECUTE); `named`, the names alone; `bare`, neither.
enum class Layout : std::uint8_t { counted, named, bare };

std::string_view read_execute_as(Bytes body, Statement& statement, Layout layout, Command& command, std::vector<Parameter>& spare) {
  command.parameters.clear();
  command.attributes.clear();
  ByteReader reader(body);
  reader.skip(4 + 1 + 4);  // id, flags, iteration count
  std::size_t own = statement.parameter_count;
  std::size_t count = own;
  bool flagged = (command.cursor_flags & parameter_count_available) != 0;
  if (layout == Layout::counted && (own > 0 || flagged)) {
    std::uint64_t said = read_lenenc(reader);
    if (!reader.ok() || said > most_parameters || said < own) return "an impossible number of parameters";
    count = static_cast<std::size_t>(said);
  }
  if (count == 0) return {};
  Bytes nulls = reader.take((count + 7) / 8);
  std::uint8_t new_types = reader.u8();
  if (!reader.ok()) return "the parameters are cut short";
  std::vector<ParameterType> bound_now;
  if (new_types != 0) {
    bound_now.reserve(count);
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
      bound_now.push_back(read_type(reader));
      if (layout != Layout::bare) bound_now.back().name = std::string(read_lenenc_text(reader));
    }
    if (!reader.ok()) return "the parameters' types are cut short";
  }
  const std::vector<ParameterType>& types = new_types != 0 ? bound_now : statement.types;
  if (types.size() != count) return "the parameters' types were bound before the tap joined";

  command.parameters.swap(spare);
  command.parameters.resize(own);  // what is left in them is overwritten
  for (std::size_t i = 0; i < count; ++i) {
    Parameter& parameter = i < own ? command.parameters[i] : command.attributes.emplace_back();
    take_type(types[i], parameter);
    parameter.bytes.clear();
    auto long_data = statement.long_data.empty() ? statement.long_data.end() : statement.long_data.find(static_cast<std::uint16_t>(i));
    if (i < own && long_data != statement.long_data.end()) {
      parameter.bytes = long_data->second;
    } else if (is_null(nulls, i) || parameter.type == ColumnType::null) {
      parameter.presence = Parameter::Presence::null;
    } else {
      take_value(reader, parameter);
      if (!reader.ok()) return "a parameter is cut short";
    }
  }
  if (!reader.at_end()) return "bytes are left behind the parameters";
  if (new_types != 0) statement.types = std::move(bound_now);
  return {};
}

}  // namespace

std::string_view read_execute(Bytes body, Statement* statement, AttributesForm form, Command& command, std::vector<Parameter>& spare) {
  ByteReader reader(body);
  reader.skip(4);
  command.cursor_flags = reader.u8();
  reader.skip(4);
  if (!reader.ok()) return "the message is too short";
  if (statement == nullptr) return "its PREPARE was not seen";
  bool flagged = (command.cursor_flags & parameter_count_available) != 0;
  // Without having seen the login, the flag alone speaks for attributes. Some clients leave the number out, or the names.
  Layout expected = form == AttributesForm::absent || (form == AttributesForm::by_shape && !flagged) ? Layout::bare : Layout::counted;
  std::string_view problem = read_execute_as(body, *statement, expected, command, spare);
  if (!problem.empty() && form != AttributesForm::absent) {
    for (Layout other : {Layout::counted, Layout::named, Layout::bare}) {
      if (other == expected || !read_execute_as(body, *statement, other, command, spare).empty()) continue;
      problem = {};
      break;
    }
  }
  if (!problem.empty()) {  // half of the values would be worse than none
    command.parameters.clear();
    command.attributes.clear();
  }
  if (problem.empty() && statement->long_data_state == Statement::LongData::cut) return "long data was over the limit";
  return problem;
}

std::string_view read_bulk_execute(Bytes body, Statement* statement, Command& command) {
  constexpr std::uint16_t send_types = 128;
  ByteReader reader(body);
  reader.skip(4);
  std::uint16_t flags = reader.u16le();
  if (!reader.ok()) return "the message is too short";
  if (statement == nullptr) return "its PREPARE was not seen";
  std::size_t count = statement->parameter_count;
  if (count == 0) return "a bulk execution without parameters";
  if ((flags & send_types) != 0) {
    std::vector<ParameterType> types;
    for (std::size_t i = 0; i < count && reader.ok(); ++i) types.push_back(read_type(reader));
    if (!reader.ok()) return "the parameters' types are cut short";
    statement->types = std::move(types);
  }
  if (statement->types.size() != count) return "the parameters' types were bound before the tap joined";

  enum class Indicator : std::uint8_t { value, null, default_, ignore };
  while (!reader.at_end()) {
    if (command.parameters.size() + count > most_bulk_values) return "more values than are kept";
    for (std::size_t i = 0; i < count; ++i) {
      Parameter parameter = typed(statement->types[i]);
      std::uint8_t indicator = reader.u8();
      switch (static_cast<Indicator>(indicator)) {
        case Indicator::value:
          if (parameter.type == ColumnType::null) parameter.presence = Parameter::Presence::null;
          take_value(reader, parameter);
          break;
        case Indicator::null: parameter.presence = Parameter::Presence::null; break;
        case Indicator::default_: parameter.presence = Parameter::Presence::default_; break;
        case Indicator::ignore: parameter.presence = Parameter::Presence::ignore; break;
        default: return "an unknown indicator";
      }
      if (!reader.ok()) return "a row of parameters is cut short";
      command.parameters.push_back(std::move(parameter));
    }
    ++command.bulk_rows;
  }
  return {};
}

std::size_t read_query_attributes(Bytes body, Command& command) {
  ByteReader reader(body);
  std::uint64_t count = read_lenenc(reader);
  std::uint64_t sets = read_lenenc(reader);
  if (!reader.ok() || sets != 1 || count > most_parameters) return 0;
  if (count == 0) return reader.offset();
  Bytes nulls = reader.take((count + 7) / 8);
  if (reader.u8() != 1 || !reader.ok()) return 0;
  std::vector<ParameterType> types;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    types.push_back(read_type(reader));
    types.back().name = std::string(read_lenenc_text(reader));
  }
  std::vector<Parameter> attributes;
  for (std::size_t i = 0; i < types.size() && reader.ok(); ++i) {
    Parameter parameter = typed(types[i]);
    if (is_null(nulls, i)) {
      parameter.presence = Parameter::Presence::null;
    } else {
      take_value(reader, parameter);
    }
    attributes.push_back(std::move(parameter));
  }
  if (!reader.ok()) return 0;
  command.attributes = std::move(attributes);
  return reader.offset();
}

}  // namespace darktap::mysql
