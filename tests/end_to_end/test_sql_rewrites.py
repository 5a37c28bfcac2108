"""Text edits of queries, judged by a server: what edits a statement that it prepares, must give one that it prepares too."""

import json
import os
import subprocess

import pymysql

from lab import Server
from test_sql_oracle import NO_COLUMN, NO_TABLE, REPAIRS, SCHEMA, Session, meanings, repair
from workplace import BUILD, Case, corpus, workplace


class Preparing(Session):
    def run(self, sql):
        """Prepares it: (error or None, whether the transaction still stood)."""
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("SET @prepared = %s", (sql,))
                cursor.execute("PREPARE prepared FROM @prepared")
                cursor.execute("DEALLOCATE PREPARE prepared")
            return None, True
        except pymysql.Error as error:
            return error, True


class SqlRewrites(Case):
    def test_each_edit_of_a_statement_that_mariadb_prepares_is_prepared_too(self):
        corpus("corpora/vitess_lobsters.json")
        with workplace() as place, Server(place / "one", cache=place.parent) as server:
            pairs_file = place / "rewrites.jsonl"
            subprocess.run([BUILD / "test_sql", "every edit of the corpora*"], env={**os.environ, "DARKTAP_REWRITES": str(pairs_file)},
                           check=True, timeout=200, stdout=subprocess.DEVNULL)
            pairs = [json.loads(line) for line in pairs_file.read_text().splitlines()]
            with server.connect().cursor() as cursor:
                for sql in SCHEMA:
                    cursor.execute(sql)
            session = Preparing(server.connect, mariadb=True)
            originals = list(dict.fromkeys(pair["sql"] for pair in pairs))
            accepted = set()
            for sql, answer in zip(originals, meanings(originals, "mariadb1011")):
                answer["tables"]["read"] += answer["tables"]["written"]
                error = None
                for _ in range(REPAIRS):
                    error, _ = session.run(sql)
                    if error is None or error.args[0] not in (NO_TABLE, NO_COLUMN, 1049) or not repair(session, error, answer):
                        break
                if error is None:
                    accepted.add(sql)
            tried, wrong = {}, []
            for pair in pairs:
                if pair["sql"] not in accepted:
                    continue
                tried[pair["kind"]] = tried.get(pair["kind"], 0) + 1
                error, _ = session.run(pair["edited"])
                if error is not None:
                    wrong.append(f'{pair["kind"]}: {pair["sql"]!r} -> {pair["edited"]!r}: {error}')
            print(f"{len(originals)} statements, {len(accepted)} prepared; edits prepared: {tried}, {len(wrong)} refused")
            self.assertEqual(wrong, [], "\n".join(wrong))
            self.assertEqual(len(tried), 4, "each kind of edit was tried")
            self.assertGreater(sum(tried.values()), 200)
