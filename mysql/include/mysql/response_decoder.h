// Decodes one response, message by message: the part that the tap and the client share.
#pragma once

#include <functional>

#include "mysql/answer.h"
#include "mysql/command.h"

namespace darktap::mysql {

struct ResponseLimits {
  std::size_t kept_rows = 1000;
  std::size_t kept_bytes = 4U << 20;
};

// Feed it the server's messages (without frame headers) that follow one command, in order, until it says `done`.
class ResponseDecoder {
 public:
  // `prepared_columns`: what PREPARE announced, needed where MariaDB's cached metadata leaves definitions out.
  ResponseDecoder(CommandCode command, Capabilities capabilities, const ResponseLimits& limits,
                  std::vector<Column> prepared_columns = {});

  enum class Step : std::uint8_t { more, done, send_file, malformed };  // send_file: LOCAL INFILE was asked for
  Step feed(Bytes message);
  // Why the last step was malformed; one phrase.
  const std::string& problem() const { return problem_; }

  // The answer so far; whole after `done`.
  Answer& answer() { return answer_; }
  // Column definitions that PREPARE announced (valid after the `done` of a COM_STMT_PREPARE).
  const std::vector<Column>& prepared_columns() const { return prepared_columns_; }

 private:
  enum class State : std::uint8_t { first, columns, columns_eof, rows, prepare_parameters, prepare_parameters_eof,
                                    prepare_columns, prepare_columns_eof, field_list, text, finished };
  Step begin(Bytes message);
  Step fail(std::string problem);

  CommandCode command_;
  Capabilities capabilities_;
  ResponseLimits limits_;
  State state_ = State::first;
  std::uint64_t definitions_left_ = 0;
  std::size_t kept_bytes_ = 0;
  std::vector<Column> prepared_columns_;
  Answer answer_;
  std::string problem_;
};

}  // namespace darktap::mysql
