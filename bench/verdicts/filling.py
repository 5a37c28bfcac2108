"""Fills a workload's tables; in the layout of another server the rows come in another order."""

import random

ROWS_AT_ONCE = 300


def fill(connection, columns, tables, layout, seed):
    """columns: table -> the names that its rows give values for."""
    dice = random.Random(seed + len(layout))
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode='', unique_checks=0, foreign_key_checks=0, time_zone='+00:00'")
        for table, content in tables.items():
            content = list(content)
            if layout == "bare": dice.shuffle(content)
            into, marks = ", ".join(columns[table]), ", ".join(["%s"] * len(columns[table]))
            for start in range(0, len(content), ROWS_AT_ONCE):
                cursor.executemany(f"INSERT INTO {table} ({into}) VALUES ({marks})", content[start:start + ROWS_AT_ONCE])
        for table in tables: cursor.execute(f"ANALYZE TABLE {table}")
    connection.commit()
