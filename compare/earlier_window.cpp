#include "earlier_window.h"

#include <algorithm>
#include <unordered_map>

#include "explained_rows.h"
#include "shown_values.h"
#include "text.h"

namespace darktap::compare {

namespace {

using Row = std::optional<std::size_t>;

// One row of the tables, wherever it is shown.
struct Place {
  Row source, target;          // in the first answers
  Row reference_now, target_now;
  std::vector<std::size_t> writes;  // that name it; ascending
};

bool is_of(const mysql::Column& column, const sql::QualifiedName& table) {
  return !column.org_name.empty() && (column.org_table == table.second || column.table == table.second);
}

// The columns of the output that tell rows apart. Without a schema the first one is taken for a key.
std::vector<std::size_t> identity_of(const Table& rows, const sql::Catalogue& catalogue) {
  std::vector<std::size_t> columns;
  if (catalogue.tables.empty()) {
    if (!rows.columns.empty() && !rows.columns[0].org_name.empty()) columns.push_back(0);
    return columns;
  }
  std::set<std::string> met;
  for (const mysql::Column& one : rows.columns) {
    const sql::Table* known = one.org_name.empty() ? nullptr : catalogue.table(one.schema, one.org_table);
    if (known == nullptr || !met.insert(one.table).second) continue;
    for (const sql::UniqueKey& key : known->unique_keys) {
      std::vector<std::size_t> shown;
      for (const std::string& name : key.columns)
        for (std::size_t c = 0; c < rows.columns.size(); ++c)
          if (rows.columns[c].table == one.table && same_name(rows.columns[c].org_name, name) && (shown.empty() || shown.back() != c)) {
            shown.push_back(c);
            break;
          }
      if (shown.size() != key.columns.size()) continue;
      columns.insert(columns.end(), shown.begin(), shown.end());
      break;
    }
  }
  return columns;
}

class Window {
 public:
  Window(const Examination& first, const Plan& plan, const sql::Catalogue& catalogue, const std::vector<DatedWrite>& writes, const WindowNow& now)
      : first_(first), source_(*first.a), target_(*first.b), plan_(plan), catalogue_(catalogue), writes_(writes), now_(now) {
    met_ = static_cast<std::size_t>(std::count_if(writes.begin(), writes.end(), [](const DatedWrite& one) { return one.met; }));
  }

  std::optional<EarlierWindow> find() {
    if (met_ == 0 || !place_rows() || !place_writes() || !healed_by_now()) return std::nullopt;
    const std::size_t moments = std::min(met_, max_window_moments);
    for (std::size_t back = 1; back <= moments; ++back) {
      const std::size_t moment = met_ - back;
      if (last_unnamed_ && moment <= *last_unnamed_) return std::nullopt;
      if (explains(moment)) return EarlierWindow{moment == 0 ? nullptr : writes_[moment - 1].write, back};
    }
    return std::nullopt;
  }

 private:
  bool place_rows();
  bool place_writes();
  bool same_now(const Place& place, const std::vector<bool>& columns, bool with_keys) const;
  bool healed_by_now() const;
  bool in_order(const std::vector<std::size_t>& of, std::size_t from) const;
  bool explains(std::size_t moment) const;
  bool cells_are_known(const Place& place, std::size_t moment) const;
  bool is_of_another(const WrittenRow& written, const SeenWrite& write, std::size_t row) const;
  bool passes_none_over(std::size_t moment) const;
  bool stood_behind_target(const Place& place, std::size_t moment) const;
  bool stands_behind_source(const Place& place) const;
  bool same_keys(const Place& a, const Place& b) const;

  bool written(const Place& place, std::size_t from, std::size_t to) const;
  bool moved(const Place& place, std::size_t from, std::size_t to) const;
  bool assigned(const Place& place, std::size_t column, std::size_t from, std::size_t to) const;
  bool moves(const DatedWrite& write) const;
  bool shows_too_much(const Place& place, std::size_t moment) const;
  bool agree(const Table& a, std::size_t row_a, const Table& b, std::size_t row_b, std::size_t column) const {
    return compare_cells(a.rows[row_a][column], a.columns[column], b.rows[row_b][column], b.columns[column], plan_.columns[column]).match != CellMatch::different;
  }
  bool all_keys_are_shown() const;
  bool is_full() const { return plan_.limit && target_.rows.size() >= *plan_.limit; }

  const Examination& first_;
  const Table &source_, &target_;
  const Plan& plan_;
  const sql::Catalogue& catalogue_;
  const std::vector<DatedWrite>& writes_;
  const WindowNow& now_;
  std::size_t met_ = 0;                       // of the writes the read met the first ones
  std::vector<Place> places_;
  std::vector<std::size_t> of_source_, of_target_, of_reference_now_, of_target_now_;  // a row's place
  std::optional<std::size_t> last_unnamed_;   // of the writes that don't say in shown columns which rows they meet
  std::string sorts_;                         // what decides which rows come out, and where: in lower case
  std::vector<bool> moving_;                  // the writes that may move a row
};

bool Window::place_rows() {
  const std::vector<std::size_t> identity = identity_of(source_, catalogue_);
  if (identity.empty()) return false;
  std::unordered_map<std::string, std::size_t> known;
  auto place = [&](const Table& table, Row Place::* side, std::vector<std::size_t>& of) {
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      std::string key;
      for (std::size_t c : identity) key += std::to_string(table.rows[row][c].text.size()) + ':' + table.rows[row][c].text;
      auto [entry, fresh] = known.try_emplace(std::move(key), places_.size());
      if (fresh) places_.emplace_back();
      Row& there = places_[entry->second].*side;
      if (there) return false;  // no key, then
      there = row;
      of.push_back(entry->second);
    }
    return true;
  };
  return place(source_, &Place::source, of_source_) && place(target_, &Place::target, of_target_) && place(now_.reference, &Place::reference_now, of_reference_now_) &&
         place(now_.target, &Place::target_now, of_target_now_);
}

bool Window::place_writes() {
  // Rows by what they show in a column, in any of their versions.
  std::unordered_map<std::size_t, std::unordered_map<std::string, std::vector<std::size_t>>> by_value;
  auto rows_with = [&](std::size_t column) -> auto& {
    auto [entry, fresh] = by_value.try_emplace(column);
    auto add = [&](const Table& table, const std::vector<std::size_t>& of) {
      for (std::size_t row = 0; row < table.rows.size(); ++row)
        if (const mysql::Cell& cell = table.rows[row][column]; !cell.is_null) entry->second[key_spelling(cell.text)].push_back(of[row]);
    };
    if (fresh) {
      add(source_, of_source_);
      add(target_, of_target_);
      add(now_.reference, of_reference_now_);
      add(now_.target, of_target_now_);
    }
    return entry->second;
  };
  auto shows = [&](const Table& table, const Row& row, const std::vector<std::pair<std::size_t, const std::set<std::string>*>>& keys) {
    return row && std::all_of(keys.begin(), keys.end(), [&](const auto& key) { return row_has_key(table, *row, key.first, *key.second); });
  };
  for (std::size_t i = 0; i < writes_.size(); ++i) {
    const DatedWrite& one = writes_[i];
    std::vector<std::pair<std::size_t, const std::set<std::string>*>> keys;
    for (std::size_t c = 0; c < source_.columns.size(); ++c)
      if (is_of(source_.columns[c], one.table))
        if (auto named = one.write->keys.find(lower(source_.columns[c].org_name)); named != one.write->keys.end()) keys.emplace_back(c, &named->second);
    if (keys.empty()) {
      last_unnamed_ = i;
      if (!one.met) return false;  // nothing is known of what came after the read
      continue;
    }
    for (const std::string& value : *keys[0].second) {
      auto rows = rows_with(keys[0].first).find(value);
      if (rows == rows_with(keys[0].first).end()) continue;
      for (std::size_t index : rows->second) {
        Place& place = places_[index];
        bool named = shows(source_, place.source, keys) || shows(target_, place.target, keys) || shows(now_.reference, place.reference_now, keys) || shows(now_.target, place.target_now, keys);
        if (named && (place.writes.empty() || place.writes.back() != i)) place.writes.push_back(i);
      }
    }
  }
  sorts_ = lower(std::string(sql::text_at(plan_.sql, plan_.shape.where)) + " " + std::string(sql::text_at(plan_.sql, plan_.shape.order_clause)));
  for (const sql::SortKey& key : plan_.shape.order_by)
    if (key.item && *key.item < plan_.shape.items.size()) sorts_ += " " + lower(plan_.shape.items[*key.item].text);
  for (const DatedWrite& one : writes_) moving_.push_back(moves(one));
  return true;
}

// May it move a row into the window, out of it or within? Not where it assigns nothing that decides about that.
bool Window::moves(const DatedWrite& write) const {
  if (write.write->removes || write.write->columns.empty() || plan_.shape.tables.size() != 1) return true;
  const sql::Table* known = catalogue_.table(write.table.first, write.table.second);
  auto decides = [&](const std::string& column) { return has_word(sorts_, column); };
  if (known == nullptr) return catalogue_.tables.empty() ? std::any_of(write.write->columns.begin(), write.write->columns.end(), decides) : true;
  bool follows = std::any_of(known->columns.begin(), known->columns.end(), [&](const sql::Column& column) { return column.follows_others && decides(lower(column.name)); });
  return follows || std::any_of(write.write->columns.begin(), write.write->columns.end(), decides);
}

bool Window::written(const Place& place, std::size_t from, std::size_t to) const {
  auto first = std::lower_bound(place.writes.begin(), place.writes.end(), from);
  return first != place.writes.end() && *first < to;
}

bool Window::moved(const Place& place, std::size_t from, std::size_t to) const {
  for (auto write = std::lower_bound(place.writes.begin(), place.writes.end(), from); write != place.writes.end() && *write < to; ++write)
    if (moving_[*write]) return true;
  return false;
}

bool Window::assigned(const Place& place, std::size_t column, std::size_t from, std::size_t to) const {
  const mysql::Column& one = source_.columns[column];
  const std::string name = lower(one.org_name);
  for (auto write = std::lower_bound(place.writes.begin(), place.writes.end(), from); write != place.writes.end() && *write < to; ++write) {
    const SeenWrite& seen = *writes_[*write].write;
    if (name.empty() || seen.removes || seen.columns.empty() || seen.columns.contains(name)) return true;
    if (is_of(one, writes_[*write].table) && family_of(one) == TypeFamily::datetime) return true;  // ON UPDATE CURRENT_TIMESTAMP
    if (const sql::Table* known = catalogue_.table(one.schema, one.org_table))
      if (const sql::Column* of_table = known->column(one.org_name); of_table != nullptr && of_table->follows_others) return true;
  }
  return false;
}

bool Window::same_keys(const Place& a, const Place& b) const {
  const Table& table = now_.reference;
  return std::all_of(now_.keys.begin(), now_.keys.end(), [&](std::size_t c) {
    return compare_cells(table.rows[*a.reference_now][c], table.columns[c], table.rows[*b.reference_now][c], table.columns[c], {}).match != CellMatch::different;
  });
}

// Do both servers show the same of the row by now, in these columns?
bool Window::same_now(const Place& place, const std::vector<bool>& columns, bool with_keys) const {
  if (!place.reference_now || !place.target_now) return !place.reference_now && !place.target_now;
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (columns[c] && !agree(now_.reference, *place.reference_now, now_.target, *place.target_now, c)) return false;
  auto same_key = [&](std::size_t c) {
    return compare_cells(now_.reference.rows[*place.reference_now][c], now_.reference.columns[c], now_.target.rows[*place.target_now][c], now_.target.columns[c], {}).match != CellMatch::different;
  };
  return !with_keys || std::all_of(now_.keys.begin(), now_.keys.end(), same_key);
}

// As far as the window's rows reach both lists are the same and stand in the same order, but for what was written since; of the rows
// in question everything that no later write assigned is.
bool Window::healed_by_now() const {
  std::size_t reach_reference = source_.rows.size(), reach_target = source_.rows.size();
  for (const Place& place : places_) {
    if (!place.source && !place.target) continue;
    if (place.reference_now) reach_reference = std::max(reach_reference, *place.reference_now + 1);
    if (place.target_now) reach_target = std::max(reach_target, *place.target_now + 1);
  }
  const std::vector<bool> all(plan_.columns.size(), true);
  for (const Place& place : places_) {
    bool in_question = place.source.has_value() != place.target.has_value() || (place.source && !rows_agree(source_, *place.source, target_, *place.target, plan_.columns));
    if (!written(place, met_, writes_.size())) {
      bool reached = (place.reference_now && *place.reference_now < reach_reference) || (place.target_now && *place.target_now < reach_target);
      if (reached && !same_now(place, all, true)) return false;
    } else if (in_question) {
      std::vector<bool> columns(plan_.columns.size());
      for (std::size_t c = 0; c < columns.size(); ++c) columns[c] = !assigned(place, c, met_, writes_.size());
      if (!same_now(place, columns, !moved(place, met_, writes_.size()))) return false;
    }
  }
  return in_order(of_target_now_, met_) && in_order(of_source_, met_);
}

// Whoever forgets the ORDER BY shows it in rows that nobody has moved since.
bool Window::in_order(const std::vector<std::size_t>& of, std::size_t from) const {
  const Place* before = nullptr;
  for (std::size_t index : of) {
    const Place& place = places_[index];
    if (!place.reference_now || moved(place, from, writes_.size())) continue;
    if (before != nullptr && *before->reference_now > *place.reference_now && !same_keys(*before, place)) return false;
    before = &place;
  }
  return true;
}

// The ORDER BY keys are computed from nothing but columns that the rows show.
bool Window::all_keys_are_shown() const {
  if (plan_.keys_projected()) return true;
  return std::all_of(plan_.shape.tables.begin(), plan_.shape.tables.end(), [&](const sql::ShapeTable& one) {
    auto is_it = [&](const auto& entry) { return entry.first.second == one.table.name; };
    auto known = std::find_if(catalogue_.tables.begin(), catalogue_.tables.end(), is_it);
    return known != catalogue_.tables.end() && std::all_of(known->second.columns.begin(), known->second.columns.end(), [&](const sql::Column& column) {
      return !has_word(sorts_, lower(column.name)) || std::any_of(source_.columns.begin(), source_.columns.end(), [&](const mysql::Column& shown) {
        return shown.org_table == one.table.name && same_name(shown.org_name, column.name);
      });
    });
  });
}

// Of several rows that one INSERT brought: does that one bear another key than the target's row?
bool Window::is_of_another(const WrittenRow& written, const SeenWrite& write, std::size_t row) const {
  for (std::size_t c = 0; c < target_.columns.size(); ++c) {
    const std::string name = lower(target_.columns[c].org_name);
    auto value = written.find(name);
    if (value != written.end() && write.keys.contains(name) && exact_spelling(target_.rows[row][c].text) != value->second) return true;
  }
  return false;
}

// Every cell of the target's row is what it was at the moment: as a write before it left it, as the source showed it or shows it now
// where no write since assigned it. What the lacked writes assigned may have been anything, as in any row that is read by its key.
bool Window::cells_are_known(const Place& place, std::size_t moment) const {
  for (std::size_t c = 0; c < plan_.columns.size(); ++c) {
    const mysql::Column& column = target_.columns[c];
    const std::string name = lower(column.org_name);
    const bool by_lacked = assigned(place, c, moment, met_), later = assigned(place, c, met_, writes_.size());
    if (place.source && !by_lacked) {
      if (!agree(source_, *place.source, target_, *place.target, c)) return false;
      continue;
    }
    if (place.reference_now && !by_lacked && !later) {
      if (!agree(now_.reference, *place.reference_now, target_, *place.target, c)) return false;
      continue;
    }
    // The last one before that assigned it: a number or a text comes back as it was written.
    bool told = false;
    TypeFamily family = family_of(column);
    const bool comes_back = !name.empty() && (family == TypeFamily::integer || family == TypeFamily::text);
    auto before = std::lower_bound(place.writes.begin(), place.writes.end(), moment);
    while (comes_back && before != place.writes.begin()) {
      const DatedWrite& one = writes_[*--before];
      if (!is_of(column, one.table)) continue;
      const SeenWrite& write = *one.write;
      if (!write.removes && !write.columns.empty() && !write.columns.contains(name)) continue;
      for (const WrittenRow& row : write.rows) {
        auto value = row.find(name);
        if (value == row.end() || is_of_another(row, write, *place.target)) continue;
        const mysql::Cell& cell = target_.rows[*place.target][c];
        told = told || (!cell.is_null && exact_spelling(cell.text) == value->second);
      }
      bool tells = !write.rows.empty() && std::all_of(write.rows.begin(), write.rows.end(), [&](const WrittenRow& row) { return row.contains(name); });
      if (tells && !told) return false;
      break;
    }
    if (!told && !by_lacked) return false;
  }
  return true;
}

// A row of the source's that no lacked write has moved: the rows of the target's window that none has moved either stood before it. The
// source's own list tells, and one that isn't in it stood behind.
bool Window::stood_behind_target(const Place& place, std::size_t moment) const {
  if (moved(place, moment, met_)) return false;
  const bool still_there = place.reference_now && !moved(place, met_, writes_.size());
  bool any = false;
  for (std::size_t index : of_target_) {
    const Place& other = places_[index];
    if (moved(other, moment, met_)) continue;
    any = true;
    bool tie = still_there && other.reference_now && !moved(other, met_, writes_.size()) && same_keys(other, place);
    if (!tie && (!other.source || *other.source > *place.source)) return false;
  }
  return any;
}

// A row of the target's that nothing has moved since: it stands behind the source's rows.
bool Window::stands_behind_source(const Place& place) const {
  if (!place.reference_now || moved(place, met_, writes_.size())) return false;
  bool any = false;
  for (std::size_t index : of_source_) {
    const Place& other = places_[index];
    if (!other.reference_now || moved(other, met_, writes_.size())) continue;
    any = true;
    if (*other.reference_now > *place.reference_now && !same_keys(other, place)) return false;
  }
  return any;
}

// A row that stood before one of the window's, and had been there, is in the window, too.
bool Window::passes_none_over(std::size_t moment) const {
  std::size_t last = 0;
  const Place* tail = nullptr;
  for (const Place& place : places_) {
    if (!place.target || !place.reference_now || moved(place, moment, writes_.size())) continue;
    if (tail == nullptr || *place.reference_now > last) last = *place.reference_now, tail = &place;
  }
  return std::none_of(places_.begin(), places_.end(), [&](const Place& place) {
    if (!place.reference_now || place.target || moved(place, moment, writes_.size())) return false;
    return !is_full() || (tail != nullptr && *place.reference_now < last && !same_keys(place, *tail));
  });
}

// Does the target show of the row what it hadn't met? A row that a lacked write inserted, or the source's very cells, though one of
// the lacked assigned them.
bool Window::shows_too_much(const Place& place, std::size_t moment) const {
  auto first = std::lower_bound(place.writes.begin(), place.writes.end(), moment);
  if (!place.target || first == place.writes.end() || *first >= met_) return false;
  const SeenWrite& lacked = *writes_[*first].write;
  if (!lacked.removes && lacked.columns.empty()) return true;
  if (!place.source || !rows_agree(source_, *place.source, target_, *place.target, plan_.columns)) return false;
  for (std::size_t c = 0; c < plan_.columns.size(); ++c)
    if (assigned(place, c, moment, met_)) return true;
  return false;
}

bool Window::explains(std::size_t moment) const {
  bool any = false;
  for (std::size_t index : of_target_)
    if (shows_too_much(places_[index], moment)) return false;
  const bool keys_are_shown = all_keys_are_shown();
  for (std::size_t row : first_.match.only_a) {
    const Place& place = places_[of_source_[row]];
    if (place.target || moved(place, moment, met_)) {  // a like on the target is looked at below
      if (!written(place, moment, met_)) return false;
      any = true;
    } else if (!stood_behind_target(place, moment)) {
      return false;
    }
  }
  for (std::size_t row : first_.match.only_b) {
    const Place& place = places_[of_target_[row]];
    if (!cells_are_known(place, moment)) return false;
    if (place.source || moved(place, moment, met_)) {
      any = true;
      continue;
    }
    bool moved_later = moved(place, met_, writes_.size());
    if (moved_later ? !keys_are_shown : !stands_behind_source(place)) {
      // Of a window whose own rows have all moved since, the keys that are shown tell.
      bool nothing_to_stand_behind = std::all_of(of_source_.begin(), of_source_.end(), [&](std::size_t index) { return !places_[index].reference_now || moved(places_[index], met_, writes_.size()); });
      if (moved_later || !nothing_to_stand_behind || !keys_are_shown) return false;
    }
  }
  return any && in_order(of_target_, moment) && passes_none_over(moment);
}

}  // namespace

bool is_window(const Plan& plan) {
  return plan.shape.understood && shows_rows_as_they_are(plan) && plan.has_limit && plan.limit && plan.offset == 0 && plan.has_order && !plan.random_order && !plan.shape.distinct;
}

std::optional<EarlierWindow> find_earlier_window(const Examination& first, const Plan& plan, const sql::Catalogue& catalogue, const std::vector<DatedWrite>& writes,
                                                 const WindowNow& now) {
  const std::size_t columns = plan.columns.size();
  bool fits = first.a && first.b && first.a->columns.size() == columns && first.b->columns.size() == columns && now.reference.columns.size() >= columns &&
              now.target.columns.size() == now.reference.columns.size() && !now.keys.empty();
  if (!fits) return std::nullopt;
  return Window(first, plan, catalogue, writes, now).find();
}

}  // namespace darktap::compare
