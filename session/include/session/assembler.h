// Stream events of many connections in, sessions with their exchanges out. Pure and single-threaded.
#pragma once

#include <functional>
#include <memory>

#include "base/stream.h"
#include "mysql/connection_decoder.h"
#include "session/exchange.h"

namespace darktap::session {

struct AssemblerOptions {
  mysql::DecoderLimits decoder;
  mysql::KeyLog* keys = nullptr;  // TLS secrets; outlive the assembler
  // What is known of a connection joined in the middle; null where nothing is. Which connections are none of ours to show.
  std::function<const mysql::Priming*(const FlowKey&)> primed;
  std::function<bool(const FlowKey&)> left_out;
  std::uint32_t file = 0;  // index of the capture file, for provenance
  // How many of a hundred sessions are kept, chosen by a hash of the connection's addresses.
  double sample_percent = 100;
  // Detection is needed where no port was named: a connection counts once it is recognised as MySQL.
  enum class Recognise : std::uint8_t { by_evidence, every_connection } recognise = Recognise::by_evidence;
};

class Assembler final : public StreamSink {
 public:
  Assembler(ExchangeSink& sink, const AssemblerOptions& options);
  ~Assembler() override;

  void on_open(const StreamOpen& event) override;
  void on_bytes(const StreamBytes& event) override;
  void on_gap(const StreamGap& event) override;
  void on_end(const StreamEnd& event) override;

  // Fills what the assembler knows: sessions, joined_midstream, tls_sessions, compressed_sessions, what is opaque.
  void add_to(TapCounters& counters) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::session
