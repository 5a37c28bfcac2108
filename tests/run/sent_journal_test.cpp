// What a killed run had sent, as the next process reads it.
#include "run/sent_journal.h"

#include <sys/stat.h>

#include "base/expected.h"
#include "test_support/catch.h"
#include "test_support/temporary_folder.h"

using namespace darktap;
using run::SentJournal;

TEST_CASE("What was noted last of each session is there for the process that goes on, and for none that begins anew") {
  TemporaryFolder folder;
  const std::string path = SentJournal::path_of(folder.file("s.db"), 7);
  CHECK(path == folder.file("s.db.7.sent"));
  {
    SentJournal journal(path, SentJournal::Open::anew);
    for (std::uint32_t seq : {0U, 4U, 5U, 4U}) journal.note({SessionId{9}, seq});
    journal.note({SessionId{1'000'000'000'000}, 3});
    journal.note({SessionId{9}, 6});
  }
  struct stat facts{};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  const std::map<SessionId, std::uint32_t> expected{{SessionId{9}, 6}, {SessionId{1'000'000'000'000}, 3}};
  {
    SentJournal journal(path, SentJournal::Open::to_go_on);
    CHECK(journal.last_sent() == expected);
    journal.note({SessionId{9}, 7});
    journal.note({SessionId{2}, 0});
  }
  SentJournal later(path, SentJournal::Open::to_go_on);
  CHECK(later.last_sent() == std::map<SessionId, std::uint32_t>{{SessionId{9}, 7}, {SessionId{2}, 0}, {SessionId{1'000'000'000'000}, 3}});
  later.remove();
  CHECK(::stat(path.c_str(), &facts) != 0);
  CHECK(SentJournal(path, SentJournal::Open::anew).last_sent().empty());
}

TEST_CASE("A journal that can't be made is told, and nothing is sent") {
  TemporaryFolder folder;
  CHECK_THROWS_AS(SentJournal(folder.file("no/such/folder"), SentJournal::Open::anew), Failure);
}
