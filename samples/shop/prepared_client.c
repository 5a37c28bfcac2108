/* The shop's visitor on prepared statements: the stock C client library, binary protocol, typed parameters.
 *
 *   SHOP_PASSWORD=… shop_prepared_client HOST PORT USER SCHEMA PAGES SEED
 *
 * Prints {"planted": {name: reads}}: how often it read rows that are planted wrong on the new stack. */
#include <mysql.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { products = 240, pages_a_visit = 10, planted_product = 45 };

static unsigned long long dice_state;
/* A number from 0 to sides - 1 (xorshift64*): the same run for the same seed. */
static unsigned roll(unsigned sides) {
  dice_state ^= dice_state >> 12;
  dice_state ^= dice_state << 25;
  dice_state ^= dice_state >> 27;
  return (unsigned)((dice_state * 2685821657736338717ULL) >> 33) % sides;
}

static void give_up(const char* doing, const char* error) {
  fprintf(stderr, "shop_prepared_client: %s: %s\n", doing, error);
  exit(1);
}

static MYSQL_STMT* prepare(MYSQL* connection, const char* sql) {
  MYSQL_STMT* statement = mysql_stmt_init(connection);
  if (!statement || mysql_stmt_prepare(statement, sql, strlen(sql))) give_up(sql, mysql_error(connection));
  return statement;
}

/* Executes with the parameters given and reads all rows; their values are not needed here, their bytes on the wire are. */
static unsigned long execute(MYSQL_STMT* statement, MYSQL_BIND* parameters) {
  if (parameters && mysql_stmt_bind_param(statement, parameters)) give_up("bind", mysql_stmt_error(statement));
  if (mysql_stmt_execute(statement)) give_up("execute", mysql_stmt_error(statement));
  unsigned long rows = 0;
  if (mysql_stmt_field_count(statement)) {
    if (mysql_stmt_store_result(statement)) give_up("fetch", mysql_stmt_error(statement));
    rows = (unsigned long)mysql_stmt_num_rows(statement);
    mysql_stmt_free_result(statement);
  }
  return rows;
}

static MYSQL_BIND integer(int* value) {
  MYSQL_BIND bind = {0};
  bind.buffer_type = MYSQL_TYPE_LONG;
  bind.buffer = value;
  return bind;
}

static MYSQL_BIND text(char* value, unsigned long* length) {
  MYSQL_BIND bind = {0};
  *length = strlen(value);
  bind.buffer_type = MYSQL_TYPE_STRING;
  bind.buffer = value;
  bind.buffer_length = *length;
  bind.length = length;
  return bind;
}

static void pause_between_pages(void) {
  struct timespec rest = {0, (30 + (long)roll(140)) * 1000000L};
  nanosleep(&rest, NULL);
}

/* One visit on a connection of its own; gives how often the planted product was read. */
static unsigned visit(char** place, unsigned pages) {
  unsigned planted = 0;
  MYSQL* connection = mysql_init(NULL);
  mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  if (!mysql_real_connect(connection, place[1], place[3], getenv("SHOP_PASSWORD"), place[4], (unsigned)atoi(place[2]), NULL, 0))
    give_up("connect", mysql_error(connection));

  MYSQL_STMT* product = prepare(connection, "SELECT id, name, category, price, weight, added FROM products WHERE id = ?");
  MYSQL_STMT* shelf = prepare(connection, "SELECT id, name FROM products WHERE category = ? AND weight > ?");
  MYSQL_STMT* clock = prepare(connection, "SELECT NOW(6), ? + 1");
  MYSQL_STMT* view = prepare(connection,
    "INSERT INTO page_views (customer_id, page, referrer, seconds, seen) VALUES (?, ?, ?, ?, ?)");

  for (unsigned page = 0; page < pages; ++page) {
    int id = roll(8) == 0 ? planted_product : 1 + (int)roll(products);
    MYSQL_BIND by_id[] = {integer(&id)};
    execute(product, by_id);
    planted += id == planted_product;

    if (page % 3 == 0) {
      static char* categories[] = {"books", "chairs", "garden", "tea"};
      unsigned long length;
      double weight = 0.5;
      MYSQL_BIND heavier_than[] = {text(categories[roll(4)], &length), {0}};
      heavier_than[1].buffer_type = MYSQL_TYPE_DOUBLE;
      heavier_than[1].buffer = &weight;
      execute(shelf, heavier_than);
    }
    if (page % 5 == 0) execute(clock, by_id);

    int customer = 1 + (int)roll(900);
    double seconds = roll(1000) / 8.0;
    unsigned long path_length;
    char path[40];
    snprintf(path, sizeof path, "/product/%d", id);
    MYSQL_TIME seen = {.year = 2026, .month = 1 + page % 12, .day = 1 + page % 28, .hour = roll(24), .second_part = 250000};
    MYSQL_BIND values[5] = {integer(&customer), text(path, &path_length)};
    values[2].buffer_type = MYSQL_TYPE_NULL;  /* no referrer */
    values[3].buffer_type = MYSQL_TYPE_DOUBLE;
    values[3].buffer = &seconds;
    values[4].buffer_type = MYSQL_TYPE_DATETIME;
    values[4].buffer = &seen;
    execute(view, values);
    pause_between_pages();
  }
  mysql_stmt_close(product);
  mysql_stmt_close(shelf);
  mysql_stmt_close(clock);
  mysql_stmt_close(view);
  mysql_close(connection);
  return planted;
}

int main(int count, char** arguments) {
  if (count != 7) {
    fprintf(stderr, "usage: SHOP_PASSWORD=... shop_prepared_client HOST PORT USER SCHEMA PAGES SEED\n");
    return 2;
  }
  dice_state = 88172645463325252ULL + (unsigned long long)atoll(arguments[6]);
  unsigned left = (unsigned)atoi(arguments[5]), planted = 0;
  while (left > 0) {
    unsigned pages = left < pages_a_visit ? left : pages_a_visit;
    planted += visit(arguments, pages);
    left -= pages;
  }
  printf("{\"planted\": {\"price of product %d\": %u}}\n", planted_product, planted);
  return 0;
}
