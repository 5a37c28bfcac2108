#include "explained_rows.h"

#include <algorithm>

#include "key_values.h"
#include "shown_values.h"
#include "text.h"

namespace darktap::compare {

namespace {

// A value that comes back as it was written, in a column of that kind.
bool comes_back(const std::string& value, const mysql::Column& column) {
  bool digits = !value.empty() && value.find_first_not_of("0123456789-") == std::string::npos;
  TypeFamily family = family_of(column);
  if (family == TypeFamily::integer) return digits;
  // What may have been a number, a byte string or a truth value in the text is stored in another spelling.
  bool power = !value.empty() && value.find_first_not_of("0123456789.eE+-") == std::string::npos && value.find_first_of("eE") != std::string::npos;
  bool bytes = value.starts_with("0x") || value.starts_with("0b") || value.starts_with("x'") || value.starts_with("X'") || value.starts_with("b'") || value.starts_with("B'");
  bool truth = same_name(value, "true") || same_name(value, "false");
  bool ascii = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f && c != '\\'; });
  return family == TypeFamily::text && !value.empty() && ascii && value.back() != ' ' && !power && !bytes && !truth;
}

}  // namespace

bool shows_rows_as_they_are(const Plan& plan) {
  const sql::QueryShape& shape = plan.shape;
  bool one_block = shape.understood && shape.kind == sql::ShapeKind::select && !shape.has_subquery && !shape.has_cte && !shape.outer_join && shape.set_operation.empty();
  if (!one_block || !shape.group_by.empty() || shape.aggregate_without_group || shape.has_window || plan.from_inner_query || !shape.having.empty()) return false;
  return std::none_of(shape.items.begin(), shape.items.end(), [](const sql::SelectItem& item) { return item.aggregate || item.window || item.subquery; });
}

ExplainedRows::ExplainedRows(const Plan& plan, const sql::Catalogue& catalogue, const Table* a, const Table* b, const RowMatch& leftovers)
    : plan_(plan), catalogue_(catalogue), plain_(shows_rows_as_they_are(plan)) {
  known_ = a != nullptr && b != nullptr && !leftovers.complete() && a->columns.size() == b->columns.size() && plan.columns.size() == a->columns.size();
  if (!known_) return;
  source_.table = a;
  target_.table = b;
  for (std::size_t row : leftovers.only_a) source_.rows.push_back({row, std::nullopt, false, {}, {}});
  for (std::size_t row : leftovers.only_b) target_.rows.push_back({row, std::nullopt, false, {}, {}});
  pair_rows();
}

bool ExplainedRows::is_of(const sql::QualifiedName& table, std::size_t column) const {
  const mysql::Column& one = source_.table->columns[column];
  return !one.org_name.empty() && (one.org_table == table.second || one.table == table.second);
}

bool ExplainedRows::may_have_changed(const SeenWrite& write, const sql::QualifiedName& table, std::size_t column) const {
  const mysql::Column& one = source_.table->columns[column];
  if (one.org_name.empty()) return true;  // computed, of whatever
  if (!is_of(table, column)) return catalogue_.table(one.schema, one.org_table) == nullptr;  // a view's, perhaps
  TypeFamily family = family_of(one);
  return write.columns.empty() || write.columns.contains(lower(one.org_name)) || family == TypeFamily::datetime;  // ON UPDATE CURRENT_TIMESTAMP
}

bool ExplainedRows::bears(const Side& side, std::size_t row, std::size_t column, const SeenWrite& write) const {
  const mysql::Cell& cell = side.table->rows[row][column];
  const std::string name = lower(side.table->columns[column].org_name);
  return !cell.is_null && std::any_of(write.rows.begin(), write.rows.end(), [&](const WrittenRow& written) {
    auto value = written.find(name);
    return value != written.end() && exact_spelling(cell.text) == value->second;
  });
}

// A row of the source's that has its like on the target. Where it is known what was written, the side that had it shows some of it:
// what a later write has hidden is that one's to explain.
bool ExplainedRows::explain_cells(Row& row, const SeenWrite& write, const sql::QualifiedName& table, Lacking lacking) {
  if (write.removes) return false;  // what it meets stays on neither side
  const Side& has = lacking != Lacking::source ? source_ : target_;
  const std::size_t there = lacking != Lacking::source ? row.row : *row.like;
  const std::vector<std::size_t> told = told_columns(write, table);
  if (plain_ && !told.empty() && std::none_of(told.begin(), told.end(), [&](std::size_t c) { return bears(has, there, c, write); })) return false;
  if (lacking == Lacking::source)
    for (std::size_t c : told)
      if (bears(has, there, c, write)) row.unshown.erase(c);
  auto may_differ = [&](std::size_t c) { return lacking != Lacking::values || !is_of(table, c) || write.drawn.contains(lower(source_.table->columns[c].org_name)); };
  return std::erase_if(row.cells, [&](std::size_t c) { return may_have_changed(write, table, c) && may_differ(c); }) > 0;
}

void ExplainedRows::pair(Row& row, Row& other) {
  row.like = other.row;
  other.like = row.row;
  const Table &a = *source_.table, &b = *target_.table;
  for (std::size_t c = 0; c < a.columns.size(); ++c)
    if (compare_cells(a.rows[row.row][c], a.columns[c], b.rows[other.row][c], b.columns[c], plan_.columns[c]).match == CellMatch::different) row.cells.insert(c);
  row.unshown = row.cells;
}

// Does one value in this column name one row of its table? Without a schema the first column is taken for a key.
bool ExplainedRows::is_unique(std::size_t column) const {
  const mysql::Column& one = source_.table->columns[column];
  const sql::Table* known = one.org_name.empty() ? nullptr : catalogue_.table(one.schema, one.org_table);
  if (known == nullptr) return catalogue_.tables.empty() && column == 0 && !one.org_name.empty();
  return std::any_of(known->unique_keys.begin(), known->unique_keys.end(), [&](const sql::UniqueKey& key) { return key.columns.size() == 1 && same_name(key.columns[0], one.org_name); });
}

// Rows of both sides that bear the same keys are one row.
void ExplainedRows::pair_rows() {
  std::vector<std::size_t> keys;
  for (std::size_t column = 0; column < source_.table->columns.size(); ++column)
    if (is_unique(column)) keys.push_back(column);
  if (keys.empty()) return;
  std::map<std::string, std::pair<std::vector<Row*>, std::vector<Row*>>> by_key;
  auto key_of = [&](const Table& side, const Row& row) {
    std::string key;
    for (std::size_t c : keys) key += std::to_string(side.rows[row.row][c].text.size()) + ':' + side.rows[row.row][c].text;
    return key;
  };
  for (Row& row : source_.rows) by_key[key_of(*source_.table, row)].first.push_back(&row);
  for (Row& row : target_.rows) by_key[key_of(*target_.table, row)].second.push_back(&row);
  for (auto& [key, rows] : by_key)
    if (rows.first.size() == 1 && rows.second.size() == 1) pair(*rows.first[0], *rows.second[0]);
}

// Of kinds that are spelled in one way only.
ExplainedRows::Keys ExplainedRows::shown_keys(const SeenWrite& write, const sql::QualifiedName& table) const {
  Keys keys;
  for (std::size_t c = 0; c < source_.table->columns.size(); ++c) {
    TypeFamily family = family_of(source_.table->columns[c]);
    if (!is_of(table, c) || (family != TypeFamily::integer && family != TypeFamily::text)) continue;
    if (auto named = write.keys.find(lower(source_.table->columns[c].org_name)); named != write.keys.end()) keys.emplace_back(c, &named->second);
  }
  return keys;
}

bool ExplainedRows::add_by_key(const SeenWrite& write, const sql::QualifiedName& table, Lacking lacking, const Keys& keys) {
  auto has_keys = [&](const Table& side, std::size_t row) { return std::all_of(keys.begin(), keys.end(), [&](const auto& key) { return row_has_key(side, row, key.first, *key.second); }); };
  Side &has = lacking != Lacking::source ? source_ : target_, &lacks = lacking != Lacking::source ? target_ : source_;
  bool found = false;
  for (Row& row : source_.rows)
    if (row.like && (has_keys(*source_.table, row.row) || has_keys(*target_.table, *row.like))) found = explain_cells(row, write, table, lacking) || found;
  const std::vector<std::size_t> told = told_columns(write, table);
  auto explain_alone = [&](Side& side, bool may_be_there) {
    for (Row& row : side.rows) {
      bool is_other = &side == &has && !told.empty() && std::none_of(told.begin(), told.end(), [&](std::size_t c) { return bears(side, row.row, c, write); });
      if (!row.like && may_be_there && !is_other && has_keys(*side.table, row.row)) row.is_explained = found = true;
    }
  };
  // What it removed stands where it is lacking, what it inserted where it isn't; an UPDATE may move a row into the answer or out of it.
  bool inserts = !write.removes && write.columns.empty() && !write.rows.empty();
  explain_alone(has, !write.removes);
  explain_alone(lacks, !inserts);
  return found;
}

bool ExplainedRows::meets(const SeenWrite& write, const sql::QualifiedName& table) const {
  if (!known_ || plan_.has_limit) return true;
  const Keys keys = shown_keys(write, table);
  if (keys.empty()) return true;
  auto met = [&](const Side& side) {
    return std::any_of(side.rows.begin(), side.rows.end(), [&](const Row& row) {
      return std::all_of(keys.begin(), keys.end(), [&](const auto& key) { return row_has_key(*side.table, row.row, key.first, *key.second); });
    });
  };
  return met(source_) || met(target_);
}

// The columns of the output that show what the write wrote, where that is known and comes back as written.
std::vector<std::size_t> ExplainedRows::told_columns(const SeenWrite& write, const sql::QualifiedName& table) const {
  std::vector<std::size_t> told;
  for (std::size_t c = 0; c < source_.table->columns.size(); ++c) {
    if (!is_of(table, c)) continue;
    const std::string name = lower(source_.table->columns[c].org_name);
    bool in_all = !write.rows.empty() && std::all_of(write.rows.begin(), write.rows.end(), [&](const WrittenRow& row) {
      auto value = row.find(name);
      return value != row.end() && comes_back(value->second, source_.table->columns[c]);
    });
    if (in_all) told.push_back(c);
  }
  return told;
}

// The output shows no key of the write: what it wrote has to stand in a row of the side that has it.
bool ExplainedRows::add_by_value(const SeenWrite& write, const sql::QualifiedName& table, Lacking lacking) {
  Side &has = lacking != Lacking::source ? source_ : target_, &lacks = lacking != Lacking::source ? target_ : source_;
  if (write.removes) {
    for (Row& row : lacks.rows) row.is_explained = true;
    return !lacks.rows.empty();
  }
  const std::vector<std::size_t> told = told_columns(write, table);
  // An UPDATE of what the WHERE asks for may take a row out of the answer.
  const std::string where = lower(sql::text_at(plan_.sql, plan_.shape.where));
  bool moves_rows = std::any_of(write.columns.begin(), write.columns.end(), [&](const std::string& column) { return where.find(column) != std::string::npos; });
  bool any_cell = explain_paired(write, table, lacking);
  if (told.empty() || moves_rows) return whole_ = true;
  std::size_t found = 0;
  for (Row& row : has.rows) {
    if (row.like) continue;
    if (std::none_of(told.begin(), told.end(), [&](std::size_t c) { return bears(has, row.row, c, write); })) continue;
    ++found;
    row.is_explained = true;
  }
  if (plan_.shape.distinct && !write.columns.empty()) {  // what it replaced may have been the last of its look; what it wrote need not be the first
    for (Row& row : lacks.rows) row.is_explained = true;
    return any_cell || found > 0 || !lacks.rows.empty();
  }
  if (!write.columns.empty()) lacks.unnamed += found;  // each replaced one row
  return any_cell || found > 0;
}

// The rows that stand on both sides: any of them may be its own.
bool ExplainedRows::explain_paired(const SeenWrite& write, const sql::QualifiedName& table, Lacking lacking) {
  bool any = false;
  for (Row& row : source_.rows) any = (row.like && explain_cells(row, write, table, lacking)) || any;
  return any;
}

bool ExplainedRows::add(const SeenWrite& write, const sql::QualifiedName& table, Lacking lacking, bool names_row) {
  if (!known_) return whole_ = any_ = true;
  const Keys keys = shown_keys(write, table);
  bool added = false;
  // The one row that there is: its key isn't shown, but named by the statement.
  bool one_row = names_row && plain_ && !plan_.has_limit && plan_.shape.tables.size() == 1 && source_.rows.size() == 1 && target_.rows.size() == 1;
  if (one_row && !source_.rows.front().like) pair(source_.rows.front(), target_.rows.front());
  if (one_row) {
    added = explain_cells(source_.rows.front(), write, table, lacking);
  } else if (!keys.empty()) {
    added = add_by_key(write, table, lacking, keys);
    // Under a LIMIT a row that came in or left moves others.
    bool moves_window = plan_.has_limit || !plain_ || plan_.shape.distinct;
    if (moves_window && (plan_.has_limit || added)) added = whole_ = true;
  } else if (plain_ && !plan_.has_limit) {
    added = add_by_value(write, table, lacking);
  } else {
    explain_paired(write, table, lacking);
    added = whole_ = true;
  }
  any_ = any_ || added;
  return added;
}

bool ExplainedRows::target_shows_them() const {
  return known_ && !source_.rows.empty() && source_.rows.size() == target_.rows.size() &&
         std::all_of(source_.rows.begin(), source_.rows.end(), [](const Row& row) { return row.like && row.unshown.empty(); });
}

bool ExplainedRows::all() const {
  if (!known_) return whole_;
  // Rows that stand on both sides tell cell by cell, whatever moved the others.
  for (const Row& row : source_.rows)
    if (row.like && !row.cells.empty()) return false;
  if (whole_) return true;
  auto alone = [](const Side& side) {
    std::size_t left = 0;
    for (const Row& row : side.rows) left += !row.like && !row.is_explained;
    return left <= side.unnamed;
  };
  return any_ && alone(source_) && alone(target_);
}

}  // namespace darktap::compare
