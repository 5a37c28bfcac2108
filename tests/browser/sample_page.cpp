// A store as a run leaves it, served by the real server, for the browser tests: prints the page's address, ends when its
// input does.
//
//   sample_page STORE [--live]     --live: the run goes on, with an event every 200 ms
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <string_view>

#include "store/store.h"
#include "web/server.h"

namespace {

using namespace darktap;
using compare::Cause;
using compare::Difference;
using compare::Level;
using store::Bin;
using store::Vantage;

// The tap began a minute ago.
CaptureTime now() { return CaptureClock::now(); }

struct Kind {
  Difference difference;
  Cause cause;
  Level level;
  const char* normalized;
  const char* sql;
  const char* parameters;
  const char* source;
  const char* target;
  const char* evidence;
};

const Kind kinds[] = {
    {Difference::row_values, Cause::defect, Level::confirmed, "SELECT id, name, email, city FROM customers WHERE id = ?",
     "SELECT id, name, email, city FROM customers WHERE id = 131 /* page: account */", "[]",
     R"json({"outcome":"rows","columns":["id","name","email","city"],"row_count":1,"digest":"a1","rows":[[9007199254740993,"Ann O'Neill","ann@example.com",null]],"rows_shown":1,"warnings":0})json",
     R"json({"outcome":"rows","columns":["id","name","email","city"],"row_count":1,"digest":"b2","rows":[[9007199254740993,"ann o'neill","ann@example.com ",""]],"rows_shown":1,"warnings":0})json",
     R"json({"only_source_rows":1,"only_target_rows":1,"first_difference":{"source_row":0,"target_row":0,"column":"name","source":"Ann O'Neill","target":"ann o'neill","byte":0},"ladder":[{"at_us":0,"side":"reference","digest":"a1","agrees":true},{"at_us":120,"side":"target","digest":"b2","agrees":false},{"at_us":50000,"side":"target","digest":"b2","agrees":false},{"at_us":100000,"side":"target","digest":"b2","agrees":false},{"at_us":400000,"side":"target","digest":"b2","agrees":false},{"at_us":5000000,"side":"target","digest":"b2","agrees":false}]})json"},
    {Difference::missing_rows, Cause::defect, Level::confirmed, "SELECT * FROM orders WHERE customer_id = ? ORDER BY id DESC",
     "SELECT * FROM orders WHERE customer_id = 378 ORDER BY id DESC", "[]",
     R"json({"outcome":"rows","columns":["id","customer_id","placed","status","total"],"row_count":4,"rows":[[391,378,"2026-11-20 10:12:00","sent","41.50"],[377,378,"2026-11-19 08:00:10","paid","18.00"],[352,378,"2026-11-11 18:20:00","sent","7.25"],[340,378,"2026-11-02 07:11:59","sent","122.90"]],"warnings":0})json",
     R"json({"outcome":"rows","columns":["id","customer_id","placed","status","total"],"row_count":3,"rows":[[391,378,"2026-11-20 10:12:00","sent","41.50"],[352,378,"2026-11-11 18:20:00","sent","7.25"],[340,378,"2026-11-02 07:11:59","sent","122.90"]],"warnings":0})json",
     R"json({"only_source_rows":1,"only_target_rows":0,"only_source":[[377,378,"2026-11-19 08:00:10","paid","18.00"]],"only_target":[]})json"},
    {Difference::error_only_target, Cause::unsupported, Level::proved, "SELECT JSON_TABLE ( ? )", "SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a INT PATH '$')) t", "[]",
     R"json({"outcome":"rows","columns":["a"],"row_count":1,"rows":[[1]],"warnings":0})json",
     R"json({"outcome":"error","error":{"code":1064,"sqlstate":"42000","message":"You have an error in your SQL syntax near 'COLUMNS'"},"warnings":0})json",
     R"json({"target_error":{"code":1064,"class":"syntax","message":"You have an error in your SQL syntax near 'COLUMNS'"}})json"},
    {Difference::row_order, Cause::order_undefined, Level::proved, "SELECT id, name, price FROM products WHERE category = ? ORDER BY price LIMIT ?",
     "SELECT id, name, price FROM products WHERE category = ? ORDER BY price LIMIT 6", R"json(["lamps"])json",
     R"json({"outcome":"rows","columns":["id","name","price"],"row_count":6,"rows":[[12,"Desk lamp","9.90"],[45,"Reading lamp","12.00"],[51,"Table lamp","12.00"],[19,"Floor lamp","12.00"],[77,"Arc lamp","49.00"],[80,"Pendant <b>lamp</b>","49.00"]],"warnings":0})json",
     R"json({"outcome":"rows","columns":["id","name","price"],"row_count":6,"rows":[[12,"Desk lamp","9.90"],[19,"Floor lamp","12.00"],[51,"Table lamp","12.00"],[45,"Reading lamp","12.00"],[77,"Arc lamp","49.00"],[80,"Pendant <b>lamp</b>","49.00"]],"warnings":0})json",
     R"json({"keys":[{"key":"price","descending":false}],"rule":"ties","tie_groups":[{"keys":["12.00"],"first_row":1,"last_row":3}],"advice":"add a unique last key to ORDER BY","rows":6,"moved_rows":2,"moves":[{"source_row":1,"target_row":3}]})json"},
    {Difference::missing_rows, Cause::read_after_write, Level::confirmed, "SELECT id, status FROM orders WHERE id = ?", "SELECT id, status FROM orders WHERE id = ?", "[4711]",
     R"json({"outcome":"rows","columns":["id","status"],"row_count":1,"rows":[[4711,"new"]],"warnings":0})json",
     R"json({"outcome":"rows","columns":["id","status"],"row_count":0,"rows":[],"warnings":0})json",
     R"json({"write":{"session":12,"seq":40,"sql":"INSERT INTO orders (customer_id, status) VALUES (7, 'new')","table":"shop.orders","key":4711,"age_us":1840},"staleness_us":[51840,101900],"ladder":[{"at_us":0,"side":"reference","digest":"a","agrees":true},{"at_us":300,"side":"target","digest":"b","agrees":false},{"at_us":50000,"side":"target","digest":"b","agrees":false},{"at_us":100060,"side":"target","digest":"a","agrees":true}]})json"},
    {Difference::row_values, Cause::nondeterministic, Level::proved, "SELECT RAND ( ), NOW ( ), id FROM products WHERE id = ?", "SELECT RAND(), NOW(), id FROM products WHERE id = 3", "[]",
     R"json({"outcome":"rows","columns":["RAND()","NOW()","id"],"row_count":1,"rows":[[0.71,"2026-11-21 03:00:00",3]],"warnings":0})json",
     R"json({"outcome":"rows","columns":["RAND()","NOW()","id"],"row_count":1,"rows":[[0.22,"2026-11-21 03:00:01",3]],"warnings":0})json",
     R"json({"functions":["now","rand"],"columns":["RAND()","NOW()"]})json"},
    {Difference::row_values, Cause::unexamined, Level::assumed, "SELECT COUNT ( * ) FROM carts WHERE touched > ?", "SELECT COUNT(*) FROM carts WHERE touched > '2026-11-20'", "[]",
     R"json({"outcome":"rows","columns":["COUNT(*)"],"row_count":1,"rows":[[812]],"warnings":0})json", R"json({"outcome":"rows","columns":["COUNT(*)"],"row_count":1,"rows":[[811]],"warnings":0})json",
     R"json({"reason":"the budget of questions was spent"})json"},
};

compare::Judgement judgement(const Kind& kind, std::uint64_t variant, std::uint64_t session, std::uint32_t seq) {
  compare::Judgement made;
  made.exchange = {SessionId{session}, seq};
  made.provenance = {0, PacketNumber{session * 1000 + seq}};
  made.time = now();
  made.fingerprint = 0x5ca1ab1e00000000 + static_cast<std::uint64_t>(&kind - kinds) + variant * 64;
  std::string suffix = variant == 0 ? "" : " /* variant " + std::to_string(variant) + " */";
  made.normalized = kind.normalized + suffix;
  made.verdicts = {{kind.difference, kind.cause, kind.level, kind.evidence}};
  if (kind.cause == Cause::read_after_write) made.verdicts[0].staleness = compare::Staleness{"shop.orders", 1840 + 700 * seq, 51'840 + 9'000 * std::int64_t{seq}, 101'900 + 20'000 * std::int64_t{seq}};
  made.sql = kind.sql + (seq == 1 ? suffix : suffix + " -- " + std::to_string(seq));
  made.parameters = kind.parameters;
  made.source_answer = kind.source;
  made.target_answer = kind.target;
  if (kind.cause == Cause::defect)
    made.before = R"json([{"seq":1,"sql":"SELECT 1 FROM carts","class":"read","write":false},{"seq":2,"sql":"UPDATE customers SET city = 'Rome' WHERE id = 131","class":"write","write":true}])json";
  return made;
}

void add(store::RunWriter& writer, const compare::Judgement& made) {
  writer.count_execution(made.fingerprint, made.normalized, store::Execution::compared);
  writer.record_latency(made.fingerprint, compare::Side::source, Vantage::tap, made.time, 310 + made.exchange.seq * 7);
  writer.record_latency(made.fingerprint, compare::Side::target, Vantage::client, made.time, 840 + made.exchange.seq * 13);
  writer.add(made, "shop.pcap");
}

bool input_ended(int wait_ms) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  char byte = 0;
  return ::poll(&input, 1, wait_ms) > 0 && ::read(STDIN_FILENO, &byte, 1) <= 0;
}

enum class Run : std::uint8_t { finished, live };

void fill_and_serve(const std::string& path, Run run) {
  store::RunInfo info;
  info.mode = "shadow";
  info.pace = "recorded";
  info.order = "session";
  info.started = now() - std::chrono::seconds(61);
  info.source = "10.1.0.5:3306";
  info.target = "10.2.0.9:3306";
  info.reference = "10.1.0.6:3306";
  info.target_follows = "yes";
  info.build = "darktap 0.1.0";
  store::RunWriter writer(path, info);
  std::uint64_t compared = 0;
  // 500 findings: a few real ones with several events each, and many variants of one.
  for (const Kind& kind : kinds) {
    for (std::uint32_t seq = 1; seq <= 7; ++seq, ++compared) add(writer, judgement(kind, 0, 12, seq));
    for (int i = 0; i < 40; ++i, ++compared) writer.count_execution(judgement(kind, 0, 1, 1).fingerprint, kind.normalized, store::Execution::compared);
  }
  for (std::uint64_t variant = 1; variant <= 493; ++variant, ++compared) add(writer, judgement(kinds[3], variant, 13, static_cast<std::uint32_t>(variant)));
  writer.set_plans(judgement(kinds[0], 0, 1, 1).fingerprint,
                   R"json({"sql":"SELECT id, name, email, city FROM customers WHERE id = 131","reference":[{"id":1,"select_type":"SIMPLE","table":"customers","partitions":null,"type":"const","key":"PRIMARY","rows":1,"Extra":null}],"target":[{"id":1,"select_type":"SIMPLE","table":"customers","partitions":null,"type":"ALL","key":null,"rows":48211,"Extra":"Using where"}]})json");
  store::Ledger ledger;
  ledger.add(Bin::compared, compared);
  ledger.add(Bin::skipped, "write", 190);
  ledger.add(Bin::skipped, "transaction_control", 84);
  ledger.add(Bin::skipped, "unsafe: user_lock", 2);
  ledger.add(Bin::unobserved, "gap in the answer", 3);
  ledger.add(Bin::target_failed, "timeout", 1);
  writer.set_ledger(ledger);
  writer.set_server_questions(ledger.total() + 2);
  writer.flush();
  if (run == Run::finished) writer.finish(now());
  web::Server server({.store = path, .listen = "127.0.0.1:0"});
  server.start();
  std::cout << server.url() << std::endl;
  for (std::uint32_t seq = 100; !input_ended(200); ++seq) {
    if (run == Run::finished) continue;
    add(writer, judgement(kinds[0], 0, 14, seq));
    ledger.add(Bin::compared);
    writer.set_ledger(ledger);
    writer.flush();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "sample_page STORE [--live]\n";
    return 2;
  }
  try {
    fill_and_serve(argv[1], argc > 2 && std::string_view(argv[2]) == "--live" ? Run::live : Run::finished);
  } catch (const Failure& failure) {
    std::cerr << failure.what() << '\n';
    return static_cast<int>(failure.kind());
  }
  return 0;
}
