"""A workload by a third hand: a box office, a message board, a ledger, a log and a tree, over columns of every type and character set; parameters of every type, several statements in a text, modes, errors, warnings."""

from families import numbered

from . import board, books, boxoffice, schema, states

data = schema
FAMILIES = {**boxoffice.family, **board.family, **books.family, **states.family}
# What a server tells of itself, or draws anew: other answers than the source's are expected, and no defects.
OWN_WORDS = {"seeded", "seeded_item", "explain", "describe", "catalogue", "statistics"}
RESET = ("SET time_zone = DEFAULT, sql_mode = DEFAULT, max_sort_length = DEFAULT, sort_buffer_size = DEFAULT", "ROLLBACK", "SET NAMES utf8mb4")
# MySQL 8.0.15 lacks EXCEPT, INTERSECT and VALUES, and JSON_VALUE; MariaDB lacks LATERAL.
MARIADB_ONLY = {"except_or_both", "except_in_brackets", "with_ties", "value_rows"}
MYSQL80_ONLY = {"lateral"}


def generate(count, seed, dialects):
    left_out = (MARIADB_ONLY if dialects != {"mariadb"} else set()) | (MYSQL80_ONLY if "mariadb" in dialects else set())
    for one in numbered(FAMILIES, count, seed, left_out):
        if dialects != {"mariadb"}: one = one._replace(sql=one.sql.replace("JSON_VALUE(", "JSON_EXTRACT("))
        yield one._replace(after=RESET) if one.before else one
