// What a statement reads, changes and locks beside the tables that its text names: what views stand for, what triggers write, the
// rows that foreign keys bind to others. As far as a catalogue tells. Pure.
#pragma once

#include "seen_rows.h"

namespace darktap::replay {

// The tables below views, whole; nothing for a table.
std::set<sql::QualifiedName> below_view(const sql::QualifiedName& name, const sql::Catalogue& catalogue);

// What a write or a locking read takes and leaves by way of triggers and foreign keys. Writing a row that names a parent's row
// keeps this one from being changed, not from being named by others: a lock of that kind stands under a name of its own, so
// that only what excludes each other meets.
struct Beneath {
  Touched locks;     // taken when it runs
  Touched releases;  // by the end of its transaction, with the rows that are seen from then on
};
Beneath beneath_write(const session::Exchange& exchange, const sql::Meaning& meaning, const Touched& direct, const sql::Catalogue& catalogue);

}  // namespace darktap::replay
