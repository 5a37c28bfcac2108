"""One private MariaDB server: a data folder copied from a template, a free port, and an end that always comes."""

import atexit
import ctypes
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import time

import pymysql

from .cache import made_once

START_SECONDS = 60
STOP_SECONDS = 20
SYSTEM_PLUGIN_FOLDERS = ("/usr/lib/mysql/plugin", "/usr/lib64/mysql/plugin")
# Small and quick: the data is a few MB and nobody needs it after a power cut.
FRUGAL = (
    "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--sync-binlog=0",
    "--aria-pagecache-buffer-size=8M", "--key-buffer-size=1M", "--table-open-cache=400", "--max-connections=200",
)
REDO_LOG = "--innodb-log-file-size=8M"


class LabError(Exception):
    """A server could not be prepared, started or reached; the text says which one and where its log is."""


_reserved = []  # sockets, open until this process ends


def free_port():
    """A port of 127.0.0.1 on which nobody listens, below the range that the kernel gives to outgoing connections.

    It is this process's until it ends: between the choice and the server's own bind no other test gets the same. An abstract
    Unix socket of the port's name is the reservation, which a process that dies gives back.
    """
    for _ in range(200):
        port = random.SystemRandom().randrange(13000, 32000)
        reservation = socket.socket(socket.AF_UNIX)
        with socket.socket() as probe:
            try:
                reservation.bind(f"\0darktap-lab-port-{port}")
                probe.bind(("127.0.0.1", port))
            except OSError:
                reservation.close()
                continue
        _reserved.append(reservation)
        return port
    raise LabError("no free port on 127.0.0.1 between 13000 and 32000")


def plugin_folder(cache):
    """A folder with ha_spider.so: the system's, or one unpacked below `cache` from Debian's package.

    The package itself is not installed, since it pulls in mariadb-server, which starts a service on port 3306.
    """
    for folder in SYSTEM_PLUGIN_FOLDERS:
        if os.path.exists(os.path.join(folder, "ha_spider.so")):
            return folder
    return str(made_once(cache / "spider", unpack_spider) / "usr/lib/mysql/plugin")


def unpack_spider(folder):
    name = "mariadb-plugin-spider"
    installed = subprocess.run(["dpkg-query", "-W", "-f=${Version}", "mariadb-server-core"], capture_output=True, text=True)
    for package in (f"{name}={installed.stdout.strip()}", name):
        fetched = subprocess.run(["apt-get", "download", "-q", package], cwd=folder.parent, capture_output=True, text=True)
        if fetched.returncode == 0:
            break
    else:
        raise LabError(f"Spider's storage engine is not installed, and 'apt-get download {name}' failed in {folder.parent}: "
                       f"{fetched.stderr.strip().splitlines()[-1:]}; run 'apt-get update' and try again")
    (archive,) = folder.parent.glob(f"{name}_*.deb")
    subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)


def end_with_parent():
    """In the child: asks the kernel for SIGTERM when the parent dies, however it dies. A group of its own keeps the
    terminal's Ctrl-C away, so that the parent ends its servers in order."""
    os.setpgid(0, 0)
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM, 0, 0, 0)


def template(cache):
    """A freshly initialised data folder, made once per server version."""
    version = subprocess.run(["mariadbd", "--version"], capture_output=True, text=True, check=True).stdout
    words = re.sub(r"[^0-9A-Za-z.]+", "-", version.split("Ver", 1)[1].split(" for ")[0]).strip("-")
    return made_once(cache / f"template-{words}", install)


def install(folder):
    # --force: a machine whose own name can't be looked up, such as a bare container, will do. The temporary folder is its
    # own: two installations at once in one would delete each other's temporary tables, and the accounts with them.
    done = subprocess.run(["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal",
                           "--skip-test-db", "--force", f"--datadir={folder}", f"--tmpdir={folder.parent}", REDO_LOG, *as_root()],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise LabError(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")


def as_root():
    """mariadbd refuses to run as root unless told so."""
    return ["--user=root"] if os.geteuid() == 0 else []


class Server:
    """`folder` is emptied first, and removed by stop() unless keep is set; `cache` holds what outlives one server."""

    def __init__(self, folder, options=(), *, cache=None, port=None):
        self.folder = pathlib.Path(folder).resolve()
        self.cache = pathlib.Path(cache).resolve() if cache else self.folder.parent
        self.options = list(options)
        self.host = "127.0.0.1"
        self.port = port or free_port()
        self.process = None
        self._folder_fd = None

    @property
    def log(self):
        return self.folder / "server.log"

    @property
    def socket(self):
        """The server's socket by way of an open folder: a path that is short however deep the folder lies (a socket's
        path may have 107 bytes)."""
        return f"/proc/self/fd/{self._folder_fd}/s.sock"

    def start(self):
        """Starts the server; wait() tells when it is ready, so that several may start side by side."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-r", "--reflink=auto", template(self.cache), self.folder], check=True)
        self._folder_fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["mariadbd", "--no-defaults", *as_root(), f"--datadir={self.folder}", "--socket=s.sock",
                 f"--pid-file={self.folder}/server.pid", f"--tmpdir={self.folder}", f"--port={self.port}",
                 f"--bind-address={self.host}", "--skip-name-resolve", "--skip-ssl", REDO_LOG, *FRUGAL,
                 "--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci", *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=end_with_parent)
        atexit.register(self.stop)
        return self

    def wait(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                raise LabError(f"the server in {self.folder} ended while it started:\n{self._log_tail()}")
            try:
                self.connect().close()
                return self
            except (pymysql.Error, OSError) as error:
                if time.monotonic() > deadline:
                    raise LabError(f"no answer from the server in {self.folder} within {START_SECONDS} s: {error}\n"
                                   f"{self._log_tail()}") from error
                time.sleep(0.05)

    def terminate(self):
        """Asks the server to end; stop() waits for it."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.send_signal(signal.SIGCONT)  # one that a test has frozen must wake up to hear it

    def stop(self):
        """Ends the server by its process id and removes its folder. May be called twice."""
        atexit.unregister(self.stop)
        self.terminate()
        if self.process:
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._folder_fd is not None:
            os.close(self._folder_fd)
            self._folder_fd = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start().wait()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def connect(self, **options):
        """A root connection over the Unix socket: no tap on lo sees it."""
        return pymysql.connect(**{"unix_socket": self.socket, "user": "root", "charset": "utf8mb4", "autocommit": True, "connect_timeout": 10,
                                  **options})

    def query(self, sql, args=None, database=None):
        """Runs one statement as root and gives its rows as tuples."""
        connection = self.connect(database=database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, args)
                return cursor.fetchall()
        finally:
            connection.close()

    def run(self, statements, database=None):
        """Runs statements as root in one session that writes no binary log."""
        connection = self.connect(database=database)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION sql_log_bin = 0")
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()

    def status(self):
        """SHOW GLOBAL STATUS as a dictionary; numbers are ints."""
        return {name.lower(): int(value) if value.isdigit() else value for name, value in self.query("SHOW GLOBAL STATUS")}

    def url(self, user, schema=""):
        return f"mysql://{user}@{self.host}:{self.port}/{schema}"

    def _log_tail(self):
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
        except OSError:
            return "(no log)"
