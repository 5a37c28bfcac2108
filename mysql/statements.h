// The prepared statements of one connection, and the commands that use them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mysql/command.h"
#include "mysql/row.h"

namespace darktap::mysql {

struct ParameterType {
  ColumnType type = ColumnType::null;
  Parameter::Sign sign = Parameter::Sign::signed_;
  std::string name;
};

struct Statement {
  std::string text;
  std::uint16_t parameter_count = 0;
  Columns columns;                         // as announced, or as last executed
  std::vector<ParameterType> types;        // as last bound
  std::map<std::uint16_t, std::vector<std::byte>> long_data;  // by parameter, joined in order of arrival
  enum class LongData : std::uint8_t { whole, cut } long_data_state = LongData::whole;  // cut: over the limit
};

// MariaDB's clients execute "the statement just prepared" by this id before they know its real one.
inline constexpr std::uint32_t last_prepared_id = 0xffffffff;

class Statements {
 public:
  Statements(std::size_t most, std::size_t long_data_bytes) : most_(most), long_data_limit_(long_data_bytes) {}

  // Nothing where its PREPARE was not seen (or failed).
  Statement* find(std::uint32_t id);
  void prepared(std::uint32_t id, Statement statement);
  // The last PREPARE failed, or its answer was not seen: its text is what the pipelined execution behind it meant.
  void not_prepared(std::string text);
  // Of a statement that was never prepared: the text that the id −1 refers to.
  const std::string* failed_text(std::uint32_t id) const;
  void add_long_data(std::uint32_t id, std::uint16_t parameter, Bytes data);
  void drop_long_data(Statement& statement);
  void close(std::uint32_t id);
  void clear();
  std::size_t memory() const { return text_bytes_ + long_data_bytes_ + statements_.size() * sizeof(Statement); }

 private:
  std::unordered_map<std::uint32_t, Statement> statements_;
  std::uint32_t last_found_id_ = 0;
  Statement* last_found_ = nullptr;  // asked for several times an execution
  std::optional<std::uint32_t> last_prepared_;
  std::optional<std::string> failed_text_;
  std::size_t most_, long_data_limit_;
  std::size_t text_bytes_ = 0, long_data_bytes_ = 0;
};

// What is needed to read the parameters of an execution.
enum class AttributesForm : std::uint8_t { absent, negotiated, by_shape };

// COM_STMT_EXECUTE behind its command byte: fills parameters and attributes and remembers new types. One phrase on what
// could not be read, empty if all was. `spare`: old parameters, whose storage is used.
std::string_view read_execute(Bytes body, Statement* statement, AttributesForm form, Command& command, std::vector<Parameter>& spare);
// COM_STMT_BULK_EXECUTE behind its command byte.
std::string_view read_bulk_execute(Bytes body, Statement* statement, Command& command);
// The query attributes in front of a COM_QUERY's text; returns where the text begins, 0 if there are none.
std::size_t read_query_attributes(Bytes body, Command& command);

}  // namespace darktap::mysql
