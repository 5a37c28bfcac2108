// What order a query's rows are promised in.
#pragma once

#include "sql/catalogue.h"
#include "sql/meaning.h"
#include "statement.h"

namespace darktap::sql {

Order order_of(std::string_view text, const Lexed& lexed, const Statement& statement, const Catalogue* catalogue);

// The number or parameter that a LIMIT's token stands for.
Count count_of(std::string_view text, const Lexed& lexed, std::uint32_t token);

// An expression's tokens without white space, comments and case: equal texts are the same expression.
std::string folded_text(std::string_view text, const Lexed& lexed, TokenRange range);

// A range that is [qualifier .] column: the column's token, and the qualifier's or no_token.
bool bare_column(const Lexed& lexed, TokenRange range, std::uint32_t& column, std::uint32_t& qualifier);

// Select items times keys beyond which keys are not matched with items: a query of thousands of both is no page's.
inline constexpr std::size_t max_item_key_pairs = 200'000;

// The select item that a key names by position, alias or as the same expression; npos where none.
std::size_t named_item(std::string_view text, const Lexed& lexed, const Block& block, TokenRange key);

// Does the block's own level (not its subqueries) call an aggregate without OVER?
bool has_aggregate(const Statement& statement, TokenRange range);

}  // namespace darktap::sql
