// What one command wrote, table by table: a text may hold several statements, and an UPDATE or DELETE may reach several tables.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "key_values.h"
#include "session/exchange.h"
#include "sql/meaning.h"

namespace darktap::compare {

struct WritePart {
  std::vector<sql::QualifiedName> tables;  // one, where the statement is understood
  KeyValues keys;
  std::set<std::string> columns;  // that it may have changed in rows that were there before, in lower case; empty: any
  std::set<std::string> drawn;    // whose values each server draws for itself, in lower case
  std::vector<WrittenRow> rows;   // what it wrote, where that is known
  bool removes = false;           // DELETE: it changes no row that stays
};

// Empty where nothing was changed. Of a text whose later statement failed, the ones before it count.
std::vector<WritePart> parts_of(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::Catalogue& catalogue);

}  // namespace darktap::compare
