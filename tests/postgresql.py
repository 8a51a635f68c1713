"""
A real PostgreSQL for tests, if its programs are installed: one cluster, with a database per test.

It listens on a socket in a folder of its own and on no network, and it is removed when the tests end.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from unittest import SkipTest

from sqlalchemy import URL

#: Debian's folders of the programs, which are in no path; the newest version is last.
_PLACES = "/usr/lib/postgresql/*/bin"
#: Durability is switched off for speed: no test of PostgreSQL cuts the power.
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=40")
#: The role with a password, and all others.
_WHO = "local all locked scram-sha-256\nlocal all all trust\n"


class PostgreSQL:
    """
    A running cluster.

    :param programs: the folder of ``initdb`` and ``postgres``.
    """

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))  # its path is short, as that of a socket must be
        self._numbers = count()
        self._programs = programs
        self._account = _account()
        if self._account is not None:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        self._run(
            "initdb", "--auth=trust", "--username=tests", "--encoding=UTF8", "--locale=C", "--no-sync", "-D", "data"
        )
        (self.folder / "data/pg_hba.conf").write_text(_WHO)
        self.start()

    def start(self) -> None:
        """Start the cluster, and wait until it accepts connections."""
        settings = [word for setting in (*_FAST, "listen_addresses=") for word in ("-c", setting)]
        self._process = self._begin("postgres", "-D", "data", "-k", str(self.folder), *settings)
        for _ in range(600):
            try:
                return self.execute("SELECT 1")
            except Exception:
                if self._process.poll() is not None:
                    raise AssertionError((self.folder / "log").read_text()) from None
                time.sleep(0.05)
        raise AssertionError("PostgreSQL does not answer")

    def stop(self) -> None:
        """Stop the cluster, even if clients are connected."""
        if self._process.poll() is None:
            self.thaw()
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)

    def freeze(self) -> None:
        """Suspend all its processes: it accepts connections, but answers nothing."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume all its processes."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        """Send a signal to each process: each has a session, and so a group, of its own."""
        mine = self._process.pid
        children = [int(pid) for pid in Path(f"/proc/{mine}/task/{mine}/children").read_text().split()]
        for pid in (mine, *children):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def remove(self) -> None:
        """Stop the cluster, and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def execute(self, *statements: str) -> None:
        """Execute statements as the owner, each in its own transaction."""
        import psycopg

        address = f"host={self.folder} user=tests dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def url(self, database: str, user: str = "tests", password: str | None = None) -> URL:
        """Return the URL of a database."""
        return URL.create("postgresql+psycopg", user, password, database=database, query={"host": str(self.folder)})

    def create(self) -> URL:
        """Create an empty database."""
        name = f"test{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop(self, url: URL) -> None:
        """Remove a database, even if clients are connected."""
        self.execute(f"DROP DATABASE {url.database} WITH (FORCE)")

    def _run(self, program: str, *options: str) -> None:
        if self._begin(program, *options).wait(60):
            raise AssertionError((self.folder / "log").read_text())

    def _begin(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        """Start a program as an unprivileged user: PostgreSQL refuses to run as root."""
        who = {} if self._account is None else {"user": self._account.pw_uid, "group": self._account.pw_gid}
        groups = {} if self._account is None else {"extra_groups": []}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self._programs / program), *options],
                cwd=self.folder,
                env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C must not reach it: the tests stop it themselves
                **who,  # type: ignore[arg-type]
                **groups,  # type: ignore[arg-type]
            )


def _account() -> pwd.struct_passwd | None:
    """Return the account to run as; ``None``: the current one."""
    if os.getuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return pwd.getpwnam("postgres" if "postgres" in names else "nobody")


def programs() -> Path:
    """Return the folder of the programs, or skip the test."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise SkipTest("psycopg is not installed") from None
    found = sorted(Path("/").glob(_PLACES.removeprefix("/")), key=lambda path: float(path.parent.name))
    found = [path for path in found if (path / "initdb").exists() and (path / "postgres").exists()]
    if not found:
        raise SkipTest(f"PostgreSQL is not installed: there is no initdb in {_PLACES}")
    return found[-1]


@cache
def _shared(place: Path) -> PostgreSQL:
    running = PostgreSQL(place)
    atexit.register(running.remove)
    return running


def postgresql() -> PostgreSQL:
    """Return the cluster that all tests share, or skip the test."""
    return _shared(programs())
