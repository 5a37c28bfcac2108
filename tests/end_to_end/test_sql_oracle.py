"""The server as the oracle of `darktap sql`: whatever is called a read runs in a READ ONLY transaction, and leaves nothing behind.

Candidates are the lists of tests/sql, each ordinary read of them with something unsafe behind it, and the shared corpora; those
of tricky.jsonl also under the sql_mode and character set that they are written for.
Tables and columns that a candidate names are made as the server misses them, so that it runs instead of failing early.
"""

import contextlib
import json
import re
import subprocess
import unittest

import pymysql
from pymysql.constants import CLIENT, SERVER_STATUS

from lab import Server
from lab.mysqld import mysql_server, program
from lab.server import LabError

from workplace import CORPUS, DARKTAP, SOURCE, Case, workplace

# Read-only transaction, access denied, --secure-file-priv and its like, lock wait timeout: no read meets these. Nor, on
# MariaDB, the lack of a stored function, unless the statement only shows one (mysql80 means the last 8.0, the server may be older).
NOT_OF_A_READ = {1792, 1227, 1290, 1205}
NO_TABLE, NO_COLUMN, NO_ROUTINE = 1146, 1054, 1305
REPAIRS = 40         # tables and columns made for one statement
EACH_SHAPE = 3       # statements of one fingerprint that are run
STATEMENT_SECONDS = 5

BEHIND = (
    " FOR UPDATE", " FOR SHARE", " LOCK IN SHARE MODE", " FOR/**/UPDATE", " /*!50000 FOR UPDATE */", " /*M! FOR UPDATE */",
    " # it's\n FOR UPDATE", " -- x\n FOR UPDATE", "/**/FOR UPDATE", " --FOR UPDATE", " /* FOR UPDATE */", " /*!99999 FOR UPDATE */",
    " INTO @v", " INTO OUTFILE 'x'", " INTO/**/DUMPFILE 'x'", "; DELETE FROM t", ";SET @v = 1", " /*!; DELETE FROM t */",
    ", GET_LOCK('a', 0)", ", (@v := 1)", ", LAST_INSERT_ID(5)", ", NEXTVAL(s)", ", NEXT VALUE FOR s", ", my_function()",
    " UNION SELECT GET_LOCK('a', 0)", " UNION SELECT LAST_INSERT_ID(5)", " UNION SELECT @v := 1", " UNION SELECT my_function()",
    " WHERE GET_LOCK('a', 0)", " AND my_function()", " ORDER BY (@v := 1)", " LIMIT 1 FOR UPDATE", " '", " `", " \\", " --",
)
SCHEMA = (
    "CREATE DATABASE oracle", "USE oracle",
    *(f"CREATE TABLE {name} (id INT PRIMARY KEY, a INT, b INT, c INT, d DATETIME, e DATETIME)" for name in "tuvwxy"),
    *(f"INSERT INTO {name} VALUES (1, 1, 1, 1, NOW(), NOW()), (2, 2, 2, 2, NOW(), NOW())" for name in "tuvwxy"),
    "CREATE TABLE log (a INT)",
    "CREATE FUNCTION my_function() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO log VALUES (1); RETURN 1; END",
)


def listed(name):
    """The statements of a raw string in tests/sql/statement_lists.h."""
    text = (SOURCE / "tests/sql/statement_lists.h").read_text()
    block = re.search(rf'string_view {name} = R"sql\((.*?)\)sql"', text, re.DOTALL).group(1)
    return [line.replace("\\n", "\n") for line in block.splitlines() if line]


def corpora():
    """Every text that a corpus calls `sql` or `query`; none where the corpora are not at hand."""
    found = []
    for path in sorted((CORPUS / "corpora").glob("*.json")):
        entries = json.loads(path.read_text())
        for entry in entries if isinstance(entries, list) else ():
            text = entry if isinstance(entry, str) else next(
                (entry[key] for key in ("sql", "query", "input") if isinstance(entry, dict) and isinstance(entry.get(key), str)), "")
            if text.strip() and "\ufffd" not in text:
                found.append(text)
    return found


def tricky():
    """(bytes, sql_mode, character set) of each statement of tricky.jsonl."""
    found = []
    for line in (SOURCE / "tests/sql/tricky.jsonl").read_text().splitlines():
        entry = json.loads(line)
        text = next(value.encode() if not key.endswith("_hex") else bytes.fromhex(value) for key, value in entry.items() if "read" in key)
        found.append((text, entry.get("mode", ""), entry.get("charset", "")))
    return found


def candidates():
    plain = [text.decode() for text, mode, charset in tricky() if not mode and not charset and text.decode(errors="ignore").encode() == text]
    reads = listed("reads")
    return list(dict.fromkeys([*listed("not_reads"), *reads, *plain, *(sql + behind for sql in reads for behind in BEHIND), *corpora()]))


def meanings(statements, server, mode="", charset=""):
    """What `darktap sql` says of each statement; bytes lie in a line as they are."""
    lines = b"".join((sql if isinstance(sql, bytes) else json.dumps(sql).encode(errors="surrogatepass")) + b"\n" for sql in statements)
    done = subprocess.run([DARKTAP, "sql", "-", "--format", "jsonl", "--server", server, "--sql-mode", mode, "--charset", charset], input=lines,
                          stdout=subprocess.PIPE, check=True, timeout=120)
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert len(answers) == len(statements), f"{len(statements)} statements, {len(answers)} answers"
    return answers


def few_of_a_shape(statements, answers):
    """The reads, at most a few of one fingerprint."""
    seen, chosen = {}, []
    for sql, answer in zip(statements, answers):
        if answer["class"] == "read":
            seen[answer["fingerprint"]] = seen.get(answer["fingerprint"], 0) + 1
            if seen[answer["fingerprint"]] <= EACH_SHAPE:
                chosen.append((sql, answer))
    return chosen


class Session:
    """One session that runs candidates; `mariadb` tells which server's variables and sequence it may ask."""

    def __init__(self, connect, mariadb, mode="", charset=""):
        self.mariadb = mariadb
        # Under another character set names and values come back as bytes that only latin1 always takes.
        self.connection = connect(database="oracle", client_flag=CLIENT.MULTI_STATEMENTS, read_timeout=60, charset="latin1" if charset else "utf8mb4")
        self.ask(f"SET max_statement_time = {STATEMENT_SECONDS}" if mariadb else f"SET max_execution_time = {STATEMENT_SECONDS * 1000}")
        self.ask("SET innodb_lock_wait_timeout = 1, lock_wait_timeout = 1")
        if charset:
            self.ask(f"SET NAMES {charset}")
        self.ask(f"SET sql_mode = '{mode}'")

    def ask(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def run(self, sql):
        """Runs a candidate in a read-only transaction: (error or None, whether the transaction still stood)."""
        self.ask("START TRANSACTION READ ONLY")
        error, stood = None, True
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql if isinstance(sql, bytes) else sql.encode(errors="surrogatepass"))
                while cursor.nextset():
                    pass
            stood = bool(self.connection.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)
        except pymysql.Error as failed:
            error = failed
        self.ask("ROLLBACK")
        return error, stood

    def prepare(self, sql):
        """Gives each user variable of the text, and LAST_INSERT_ID, a value that it would have to change."""
        if isinstance(sql, bytes):
            sql = sql.decode(errors="replace")
        names = {next(filter(None, found)) for found in re.findall(r"(?<!@)@(?:`([^`]+)`|'([^']+)'|\"([^\"]+)\"|([\w$.]+))", sql)} | {"v"}
        self.variables = [f"@`{name}`" for name in sorted(names) if re.fullmatch(r"[\w$.]{1,64}", name)]
        self.ask("SET " + ", ".join(f"{name} = 'kept'" for name in self.variables))
        self.ask("SELECT LAST_INSERT_ID(4711)")

    def left_behind(self):
        """What the candidate changed, in words; empty where nothing."""
        row = self.ask(f"SELECT RELEASE_ALL_LOCKS(), LAST_INSERT_ID(), {', '.join(self.variables)}")[0]
        found = []
        if row[0] != 0:
            found.append("a user lock")
        if row[1] != 4711:
            found.append("LAST_INSERT_ID")
        found += [f"the variable {name}" for name, value in zip(self.variables, row[2:]) if value != "kept"]
        if self.mariadb and self.ask("SELECT next_not_cached_value FROM oracle.s")[0][0] != 1:
            found.append("a sequence")
        return found

    def lasting(self):
        """The session's variables that no clock and no statement before this one moves."""
        moving = {"timestamp", "rand_seed1", "rand_seed2", "last_insert_id", "identity", "error_count", "warning_count", "in_transaction",
                  "pseudo_thread_id", "gtid_current_pos", "last_gtid", "statement_id", "insert_id"}
        return {name: value for name, value in self.ask("SHOW SESSION VARIABLES") if name not in moving and not name.startswith("gtid_")}


def repair(session, error, answer):
    """Makes the table or column that the server missed; False where that can't be done."""
    number, message = error.args[0], str(error.args[1])
    named = re.search(r"'([^']+)'", message)
    parts = named.group(1).split(".") if named else []
    try:
        if number == NO_TABLE and len(parts) == 2:
            session.ask(f"CREATE DATABASE IF NOT EXISTS `{parts[0]}`")
            session.ask(f"CREATE TABLE `{parts[0]}`.`{parts[1]}` (id INT PRIMARY KEY)")
            session.ask(f"INSERT INTO `{parts[0]}`.`{parts[1]}` VALUES (1), (2)")
            return True
        if number == NO_COLUMN and parts:
            added = False
            for table in answer["tables"]["read"]:  # the qualifier may be an alias of any of them
                with contextlib.suppress(pymysql.Error):
                    name = ".".join(f"`{part}`" for part in table.split("."))
                    session.ask(f"ALTER TABLE {name} ADD COLUMN `{parts[-1]}` INT")
                    added = True
            return added
        if number == 1049 and parts:
            session.ask(f"CREATE DATABASE `{parts[0]}`")
            return True
    except pymysql.Error:
        pass
    return False


def files_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in ("", ".txt") and path.is_file()}


class SqlOracle(Case):
    def judge(self, connect, folder, name, mariadb):
        """Runs every candidate that is called a read; prints what was tried."""
        statements = candidates()
        reads = few_of_a_shape(statements, meanings(statements, name))
        setup = connect()
        with setup.cursor() as cursor:
            for sql in (*SCHEMA, *(["CREATE SEQUENCE s NOCACHE"] if mariadb else [])):
                cursor.execute(sql)
        session = Session(connect, mariadb)
        for sql, answer in reads:  # before anyone holds a lock
            for _ in range(REPAIRS):
                error, _ = session.run(sql)
                if error is None or error.args[0] not in (NO_TABLE, NO_COLUMN, 1049) or not repair(session, error, answer):
                    break
        holder = connect(database="oracle")  # a read never waits for these rows
        with holder.cursor() as cursor:
            cursor.execute("BEGIN")
            for table in "tuvwxy":
                cursor.execute(f"SELECT * FROM {table} FOR UPDATE")
        before, files = session.lasting(), files_below(folder)
        ran, wrong, others = 0, [], {}
        for sql, _ in reads:
            session.prepare(sql)
            error, stood = session.run(sql)
            if error is None:
                ran += 1
            elif error.args[0] in NOT_OF_A_READ or (mariadb and error.args[0] == NO_ROUTINE and not sql.lstrip().upper().startswith("SHOW")):
                wrong.append((sql, str(error)))
            else:
                others[error.args[0]] = others.get(error.args[0], 0) + 1
            if not stood:
                wrong.append((sql, "it ended the transaction"))
            wrong += [(sql, f"it changed {what}") for what in session.left_behind()]
        print(f"{name}: {len(statements)} statements tried, {len(reads)} reads (at most {EACH_SHAPE} of a shape) sent, {ran} ran, "
              f"{len(wrong)} wrong; other errors by number: {dict(sorted(others.items(), key=lambda item: -item[1]))}")
        self.assertEqual(wrong, [], "\n".join(f"{sql!r}: {what}" for sql, what in wrong))
        self.assertEqual(session.lasting(), before, "a session variable changed")
        self.assertEqual(files_below(folder), files, "a file appeared")
        self.assertEqual(session.ask("SELECT COUNT(*) FROM oracle.log"), ((0,),), "a stored function ran")
        self.assertGreater(ran, 60, "the reads of the lists alone are more")

    def judge_dialects(self, connect, name, mariadb):
        """The statements of tricky.jsonl under their sql_mode and character set, after judge() made the schema."""
        kinds, tried, sent, wrong = {}, 0, 0, []
        for sql, mode, charset in tricky():
            kinds.setdefault((mode, charset), []).append(sql)
        for (mode, charset), statements in kinds.items():
            try:
                session = Session(connect, mariadb, mode, charset)
            except pymysql.Error as error:
                if error.args[0] not in (1115, 1231):  # no such character set or sql_mode on this server
                    raise
                continue
            statements = [sql for sql in statements if b"\n" not in sql]  # bytes have no escape for it in a line
            tried += len(statements)
            for sql, answer in zip(statements, meanings(statements, name, mode, charset)):
                if answer["class"] != "read":
                    continue
                session.prepare(sql)
                error, stood = session.run(sql)
                sent += 1
                if error is not None and error.args[0] in NOT_OF_A_READ:
                    wrong.append((sql, mode, charset, str(error)))
                wrong += [(sql, mode, charset, f"it changed {what}") for what in session.left_behind()]
                if not stood:
                    wrong.append((sql, mode, charset, "it ended the transaction"))
        print(f"{name}: {tried} statements tried under {len(kinds)} sql_modes and character sets, {sent} reads sent, {len(wrong)} wrong")
        self.assertEqual(wrong, [])

    def test_no_read_is_refused_by_mariadb_in_a_read_only_transaction_or_leaves_anything_behind(self):
        with workplace() as place, Server(place / "one", cache=place.parent) as server:
            self.judge(server.connect, server.folder, "mariadb1011", mariadb=True)
            self.judge_dialects(server.connect, "mariadb1011", mariadb=True)

    def judge_mysql(self, series):
        with workplace() as place:
            try:
                mysqld = program(series, place.parent)
            except LabError as error:
                raise unittest.SkipTest(f"no {series} server: {error}") from None
            with mysql_server(mysqld, place) as (connect, folder):
                self.judge(connect, folder, series, mariadb=False)
                self.judge_dialects(connect, series, mariadb=False)

    def test_no_read_is_refused_by_mysql_8_in_a_read_only_transaction_or_leaves_anything_behind(self):
        self.judge_mysql("mysql80")

    def test_no_read_is_refused_by_mysql_57_in_a_read_only_transaction_or_leaves_anything_behind(self):
        self.judge_mysql("mysql57")

    def test_no_read_is_refused_by_mysql_9_in_a_read_only_transaction_or_leaves_anything_behind(self):
        self.judge_mysql("mysql97")
