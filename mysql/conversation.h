// Commands and their answers: the queue of commands that wait, the answer in progress, and the session's state between
// them. Knows messages only; where they begin and end is the connection decoder's business.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command_parser.h"
#include "evidence.h"
#include "frames.h"
#include "mysql/connection_decoder.h"
#include "mysql/priming.h"
#include "mysql/response_decoder.h"
#include "open_exchange.h"
#include "statements.h"

namespace darktap::mysql {

class Conversation {
 public:
  Conversation(DecoderSink& sink, const DecoderLimits& limits, ConnectionFacts& facts, DecoderPool& pool);

  // The client's side. A command that is not whole is told as unobserved: its text would be wrong.
  void command(const MessageView& message);
  // A message that belongs to the last command: the file of LOAD DATA LOCAL, the rounds of an authentication.
  void request_data(const MessageView& message);
  // The rest of a command is missing, and maybe others: `seen` is its beginning.
  void command_cut(Bytes seen, const Stamp& first, std::uint64_t wire_bytes);
  void client_lost();
  // The client's stream went on without a hole.
  void client_heard();

  // The server's side.
  enum class Framing : std::uint8_t { trusted, doubtful };
  Framing response(const MessageView& message);
  // What can be read at once of the frames at hand: a result's header that is known, rows and their end. The bytes are taken
  // from the front; `first` and `last` stamp what begins and what ends in them.
  Framing take_ahead(Bytes& frames, const Stamp& first, const Stamp& last);
  // Bytes of the server are missing in front of the packet with this time.
  void server_lost(CaptureTime behind);
  // The answer that a packet of this time may begin, where the server's stream must be found again.
  std::optional<ResponseStart> expected_start(CaptureTime time);
  bool is_searching() const { return side_ == Server::searching; }

  void finish(const std::string& why);

  // The tap joined in the middle, or saw no login: nothing is told before an answer has fitted its command.
  void require_evidence() { recognised_ = false; side_ = Server::searching; }
  void evidence_found() { recognised_ = true; side_ = Server::following; }
  bool recognised() const { return recognised_; }
  // A command turned the connection into another protocol.
  bool became_stream() const { return became_stream_; }
  // Sequence numbers inside compressed packets follow no rule that all servers share.
  void ignore_sequences() { sequences_checked_ = false; }
  void prime(const Priming& known);
  void login_collation(std::uint16_t collation) { login_collation_ = collation; }
  void apply(const SessionChanges& changes);
  std::size_t memory() const;

 private:
  struct Waiting {
    std::vector<std::byte> payload;
    MessageView::Integrity integrity{};
    Stamp first, last;
    std::uint64_t wire_bytes = 0;
    std::uint8_t last_sequence = 0;
    std::uint64_t burst = 0;
    enum class Answer : std::uint8_t { awaited, search, lost } answer = Answer::awaited;
  };
  using Open = std::unique_ptr<OpenExchange>;
  using Progress = OpenExchange::Progress;

  void take(Waiting& waiting, Bytes payload);
  void advance();
  bool definitions_may_be_left_out() const;
  void start_decoder(OpenExchange& open);
  Framing after(ResponseDecoder::Step step);
  bool take_known_header(Bytes& frames, const Stamp& first);
  void note_header(const MessageView& message);
  void tell(Open open);
  void complete();
  void give_up_head(const std::string& why);
  bool is_quiet_before(CaptureTime time) const;
  void mute();
  void skip_to(CaptureTime time);
  bool starts_head(const MessageView& message) const;
  void take_effect(OpenExchange& head);
  void note_unseen_effect(const Command& command);
  void doubt(Exchange& exchange, std::string_view why) const;
  void emit(Exchange& exchange);
  void flush_held();
  std::uint16_t collation_for(std::string_view character_set) const;

  DecoderSink& sink_;
  const DecoderLimits& limits_;
  ConnectionFacts& facts_;
  DecoderPool::State& pool_;
  Statements statements_;
  std::list<Waiting> queue_;       // behind the head; nearly always empty
  std::size_t queued_bytes_ = 0;
  Open head_;
  enum class Server : std::uint8_t { following, searching } side_ = Server::following;
  // Commands sent in one packet are one burst: their answers come together.
  std::uint64_t burst_ = 0;
  PacketNumber last_packet_;
  CommandCode last_code_ = CommandCode::sleep;
  bool client_hole_ = false;       // before the next command
  bool overlapping_ = false;       // the client sends without waiting: after a loss nothing can be paired again
  bool mute_ = false;              // … and there was one; until both sides have been quiet for long
  CaptureTime heard_;              // either side, while mute
  std::chrono::nanoseconds longest_wait_{};  // for the end of an answer
  bool found_again_ = false;       // the answer in progress was found after a loss
  ResponseDecoder::EofForm eof_form_ = ResponseDecoder::EofForm::unknown;  // learned, where it was not negotiated
  bool recognised_ = true;
  bool became_stream_ = false;
  bool sequences_checked_ = true;
  std::string_view primed_;        // what is told beside the doubt where the login was not seen
  std::string state_doubt_;        // why the session's state may have moved unseen
  std::uint16_t login_collation_ = 0;
  std::vector<Exchange> held_;  // complete, until the next bytes of the client confirm them
};

}  // namespace darktap::mysql
