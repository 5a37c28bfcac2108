"""A workload by another hand: what WordPress, a shop of attributes and a tracker's mappers send, reports, and what hangs on sessions."""

from families import numbered

from . import analytics, schema, sessions, shop, tracker, weblog

data = schema
FAMILIES = {**weblog.family, **shop.family, **tracker.family, **analytics.family, **sessions.family}
# What a server tells of itself, or draws anew: other answers than the source's are expected, and no defects.
OWN_WORDS = {"random_posts", "clock", "tables_of", "drawn", "columns_of"}
RESET = ("SET time_zone = DEFAULT, group_concat_max_len = DEFAULT, sql_mode = DEFAULT, sql_select_limit = DEFAULT", "ROLLBACK")


def generate(count, seed, dialects):
    for one in numbered(FAMILIES, count, seed):
        # MariaDB has no ANY_VALUE.
        if "mariadb" in dialects: one = one._replace(sql=one.sql.replace("ANY_VALUE", "MIN"))
        yield one._replace(after=RESET) if one.family in sessions.family else one
