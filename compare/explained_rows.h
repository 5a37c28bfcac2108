// Of the rows that differ between two answers: which may differ because one side lacks certain writes? Row by row, and of rows that
// stand on both sides cell by cell, so that a row that is wrong for another reason is left over.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "plan.h"
#include "row_match.h"
#include "write_index.h"

namespace darktap::compare {

// Each row of the answer is one of its tables' rows, or of their join, as they are, or (DISTINCT) several that look alike.
bool shows_rows_as_they_are(const Plan& plan);

class ExplainedRows {
 public:
  // Which side hadn't the write; values: both had it, each with those that it drew for itself.
  enum class Lacking : std::uint8_t { target, source, values };

  // plan: the read's. a, b: both answers' rows, where they are known; else whatever is added explains all.
  ExplainedRows(const Plan& plan, const sql::Catalogue& catalogue, const Table* a, const Table* b, const RowMatch& leftovers);

  // False where this write, lacking there, can't have made any of the rows differ. names_row: the statement names its row by key.
  bool add(const SeenWrite& write, const sql::QualifiedName& table, Lacking lacking, bool names_row);
  // May this write have met one of the rows that differ?
  bool meets(const SeenWrite& write, const sql::QualifiedName& table) const;
  // Every row that differs, each in every cell that differs.
  bool all() const;
  // Each by itself, not as what an answer may look like that is computed from rows, or cut out of them.
  bool row_by_row() const { return known_ && !whole_; }
  // Each of these cells bears on the target what a write wrote that only the target had.
  bool target_shows_them() const;

 private:
  struct Row {
    std::size_t row = 0;
    std::optional<std::size_t> like;  // in the other side's rows: the same one
    bool is_explained = false;        // as one that stands on this side only
    std::set<std::size_t> cells;      // that differ from its like's, and that nothing explains yet
    std::set<std::size_t> unshown;    // that differ, and bear no early write's value
  };
  struct Side {
    const Table* table = nullptr;
    std::vector<Row> rows;
    std::size_t unnamed = 0;  // rows of this side that some write may have put there, though it isn't known which
  };
  using Keys = std::vector<std::pair<std::size_t, const std::set<std::string>*>>;  // columns of the output, and the values a row must have there
  bool may_have_changed(const SeenWrite& write, const sql::QualifiedName& table, std::size_t column) const;
  bool explain_cells(Row& row, const SeenWrite& write, const sql::QualifiedName& table, Lacking lacking);
  bool bears(const Side& side, std::size_t row, std::size_t column, const SeenWrite& write) const;
  bool add_by_key(const SeenWrite& write, const sql::QualifiedName& table, Lacking lacking, const Keys& keys);
  bool add_by_value(const SeenWrite& write, const sql::QualifiedName& table, Lacking lacking);
  Keys shown_keys(const SeenWrite& write, const sql::QualifiedName& table) const;
  std::vector<std::size_t> told_columns(const SeenWrite& write, const sql::QualifiedName& table) const;
  bool explain_paired(const SeenWrite& write, const sql::QualifiedName& table, Lacking lacking);
  void pair_rows();
  void pair(Row& row, Row& other);
  bool is_unique(std::size_t column) const;
  bool is_of(const sql::QualifiedName& table, std::size_t column) const;

  const Plan& plan_;
  const sql::Catalogue& catalogue_;
  Side source_, target_;
  bool known_ = false;   // both sides' rows
  bool plain_ = false;   // shows_rows_as_they_are
  bool whole_ = false;   // something was added that may explain all
  bool any_ = false;
};

}  // namespace darktap::compare
