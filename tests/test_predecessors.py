"""
The defects of the first Patches, and of other early clients and servers of its kind, as tests that detect them.

Each test is named after the defect. They use the server in :mod:`tests.server_in_memory`.
"""

from __future__ import annotations

import ast
from pathlib import Path

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

import patches
from patches.errors import SourceError
from patches.scanner.client.http_client import HttpClient
from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.matcher import Matcher
from patches.scanner.reporting.delivery import Delivery
from patches.scanner.reporting.outbox import Outbox
from patches.server.errors import Denied, OutOfOrder, SessionExpired
from patches.server.sessions.session import Limits
from patches.server.sessions.states import State
from patches.service.budget import Budget
from patches.testing import Trouble
from patches.vulnerability import FixedPackage, Vulnerability
from tests.scanner.scripted_client import REFUSED, Canned, CannedHTTP
from tests.server_in_memory import WholeServer
from tests.sources.clair_in_memory import MemoryCase


def installed(*packages: tuple[str, str]) -> Matcher:
    """Return a matcher of a host with these packages."""
    return Matcher(
        Inventory("dpkg", tuple(Package(name, version, "amd64", name, version) for name, version in packages))
    )


def fixed(package: str, version: str | None) -> Vulnerability:
    """Return a vulnerability that is fixed in a version of one package."""
    return Vulnerability("CVE-1", "debian-12", (FixedPackage(package, version),))


class ServerDefects(SynchronousTestCase):
    """Defects of servers."""

    #: The number of chunks that a window may hold.
    room = 3

    def server(self, chunks: int = 4, memory: int = 64 * 1024 * 1024, **limits: float) -> WholeServer:
        """Return a server with one platform, and a list of a given number of chunks."""
        return WholeServer(Path(self.mktemp()), chunks, Limits(**limits), self.room, memory)  # type: ignore[arg-type]

    def test_limit_never_applied(self) -> None:
        """No more sessions are active than the limit allows; further clients wait or are denied."""
        server = self.server(max_active=3, max_queued=2)
        states = [server.open().state for _ in range(5)]
        self.assertEqual(states, [State.ACTIVE] * 3 + [State.QUEUED] * 2)
        self.assertEqual(self.assertRaises(Denied, server.open).code, "queue-full")

    def test_abandoned_sessions_live_for_ever(self) -> None:
        """A session without requests is removed after its time-out, together with all its resources."""
        server = self.server(session_timeout=30)
        session = server.open()
        server.ask(session, 0)
        server.wait(31)
        self.assertRaises(SessionExpired, server.session_service.touch, session.token)
        self.assertEqual(server.budget.used["sessions"], 0)
        server.budget.take("responses", 1 << 40)  # what wants all memory gets that of the window that nobody reads
        self.assertEqual(sum(server.budget.used.values()), 0)

    def test_sessions_expire_only_when_a_request_arrives(self) -> None:
        """Sessions expire by the clock alone, without any request."""
        server = self.server(session_timeout=30)
        session = server.open()
        server.wait(31)
        self.assertIsNone(server.session_service.sessions.find(session.token))

    def test_every_session_re_reads_the_source(self) -> None:
        """
        However many sessions read a list, the source is read once, and each chunk is read from disk once per window.
        """
        server = self.server()
        sessions = [server.open() for _ in range(10)]
        for number in range(4):
            for session in sessions:
                server.ask(session, number)
        self.assertEqual(server.source.read, 1)
        self.assertEqual(server.loaded, [0, 1, 2, 3])

    def test_nothing_ever_activates_a_session(self) -> None:
        """A queued session becomes active by itself when there is room, while its scanner waits."""
        server = self.server(max_active=1, session_timeout=30, queue_timeout=300)
        server.open()
        second = server.open()
        activated = ensureDeferred(server.session_service.until_active(second.token, 100))
        self.assertNoResult(activated)
        server.wait(32)
        self.successResultOf(activated)
        self.assertEqual(second.state, State.ACTIVE)

    def test_activation_replaces_readers(self) -> None:
        """A session that becomes active does not take chunks away from active ones."""
        server = self.server()
        first = server.open()
        server.ask(first, 0)
        second = server.open()
        self.assertEqual(server.ask(second, 0).number, 0)
        self.assertEqual(server.ask(first, 1).number, 1)
        self.assertEqual(server.ask(second, 1).number, 1)

    def test_relative_and_absolute_positions_mixed(self) -> None:
        """A position keeps its meaning however far the window has moved: late and resumed sessions get their chunks."""
        server = self.server(chunks=6)
        first = server.open()
        for number in range(4):
            self.assertEqual(server.ask(first, number).number, number)
        resumed = server.resume(first, 3)
        self.assertEqual(server.ask(resumed, 3).number, 3)
        self.assertEqual(server.ask(resumed, 4).number, 4)

    def test_slow_reader_silently_skips(self) -> None:
        """
        The window waits for its slowest reader; one that is too slow gets a window of its own, or an error where there
        is no memory for that, and does not skip a chunk.
        """
        for memory in (64 * 1024 * 1024, 300 * 1024):
            self.slow_reader(self.server(memory=memory, chunks=40, session_timeout=30, chunk_timeout=60))

    def slow_reader(self, server: WholeServer) -> None:
        """Read with a slow and a fast scanner."""
        slow, fast = server.open(), server.open()
        server.ask(slow, 0)
        number = 0
        while self.is_served(server, fast, number):
            number += 1
        if self.room >= 40 and number == 40:
            # nobody waits for the slow one, which gets everything in its own time
            self.assertEqual([server.ask(slow, n).number for n in range(40)], list(range(40)))
            return
        self.assertLess(number, 40)
        self.assertEqual(server.ask(slow, 0).number, 0)
        self.assertEqual(server.ask(slow, 1).number, 1)
        self.assertRaises(OutOfOrder, server.ask, slow, 3)
        while self.is_served(server, fast, number):
            number += 1
        ahead = ensureDeferred(server.session_service.read(fast.token, number, 100))
        for _ in range(7):
            self.assertNoResult(ahead)
            server.wait(9)
            if slow.state is State.ACTIVE:
                server.session_service.touch(slow.token)
            server.session_service.touch(fast.token)
        self.assertEqual(self.successResultOf(ahead).number, number)
        if slow.state is State.ACTIVE:
            self.assertEqual([server.ask(slow, n).number for n in range(1, 40)], list(range(1, 40)))
        else:
            reason = self.assertRaises(SessionExpired, server.session_service.touch, slow.token)
            self.assertIn("chunk 1 was not consumed", str(reason))

    def is_served(self, server: WholeServer, session: object, number: int) -> bool:
        """Return whether a chunk is served without a wait."""
        return server.try_to_ask(session, number) is not None  # type: ignore[arg-type]

    def test_no_end_marker(self) -> None:
        """The end of a stream contains the count and the digest of all of it, and can be requested again."""
        server = self.server(chunks=2)
        session = server.open()
        server.ask(session, 0)
        self.assertRaises(OutOfOrder, server.ask, session, 2)
        server.ask(session, 1)
        for _ in range(2):
            self.assertIsNone(server.ask(session, 2))
        self.assertEqual(session.state, State.COMPLETE)

    def test_predictable_ids(self) -> None:
        """Tokens of sessions can neither be guessed from others nor forged."""
        server = self.server()
        tokens = [server.open().token for _ in range(100)]
        self.assertEqual(len({token[20:40] for token in tokens}), 100)
        self.assertRaises(ValueError, server.key.read, tokens[0][:-2] + ("AA" if tokens[0][-2:] != "AA" else "BB"))

    def test_memory_without_a_limit(self) -> None:
        """When the memory limit allows no further session, a client is denied with a time to retry."""
        server = self.server()
        server.budget.take("responses", server.budget.free("sessions") - 4096)
        server.open()
        server.open()
        denied = self.assertRaises(Denied, server.open)
        self.assertEqual(denied.code, "memory-limit")
        self.assertGreater(denied.retry_after, 0)


class RoomyServerDefects(ServerDefects):
    """The same defects, with a window that holds every list."""

    room = 64


class SourceDefects(MemoryCase):
    """Defects of clients of Clair."""

    def load(self, *records: dict[str, object]) -> None:
        """Add records to the list."""
        self.double.load("debian:9", records)

    def test_silent_truncation_on_a_source_error(self) -> None:
        """A source that fails in the middle of a list never yields a short list: the listing raises."""
        self.load(*({"Name": f"CVE-{number}"} for number in range(50)))
        self.double.fail(Trouble.DATABASE, times=None, kind="details")
        self.refusal(self.source().listing("debian-9"), SourceError)

    def test_no_fix_entry_crashes(self) -> None:
        """Vulnerabilities without a fix, without packages or without a link are ordinary, and are read."""
        unfixed = {"Name": "sudo", "NamespaceName": "debian:9", "VersionFormat": "dpkg", "Version": "None"}
        self.load({"Name": "CVE-1", "FixedIn": [unfixed]}, {"Name": "CVE-2"})
        first, second = self.read(self.source().listing("debian-9"))
        self.assertEqual([(package.name, package.version) for package in first.fixed_in], [("sudo", None)])
        self.assertEqual(second.fixed_in, ())

    def test_name_cut_at_a_space(self) -> None:
        """Names are read completely, spaces and question marks included: an id, and what stands beside it as a note."""
        names = ["CVE-2018-3620   XSA-273", "CVE-2018-3620", "CVE-????-?????  XSA-295", "100% é"]
        self.load(*({"Name": name} for name in names))
        read = [(each.name, each.note, each.aliases) for each in self.read(self.source().listing("debian-9"))]
        expected = [
            ("CVE-2018-3620", "XSA-273", ("XSA-273",)),
            ("CVE-2018-3620", None, ()),
            ("XSA-295", "CVE-????-?????", ()),
            ("100% é", None, ()),
        ]
        self.assertEqual(read, expected)


class ScannerDefects(SynchronousTestCase):
    """Defects of scanners."""

    def test_not_installed_packages_reported(self) -> None:
        """A package that is not installed is never a finding."""
        self.assertEqual(list(installed(("bash", "1")).match(fixed("sudo", "2"))), [])

    def test_prefix_version_order(self) -> None:
        """Versions are ordered, not compared as texts: 1.10 is not fixed because the fix is 1.1."""
        for below, fix in (("1.9", "1.10"), ("1.0~rc1", "1.0"), ("1.8.27-1", "1.8.27-1+deb10u3"), ("9", "1:1")):
            self.assertEqual(len(list(installed(("sudo", below)).match(fixed("sudo", fix)))), 1, (below, fix))
            self.assertEqual(list(installed(("sudo", fix)).match(fixed("sudo", below))), [], (below, fix))

    def test_substring_names(self) -> None:
        """A name is compared completely: neither sudo-ldap nor libsudo is sudo."""
        matcher = installed(("sudo-ldap", "1"), ("libsudo", "1"), ("sud", "1"))
        self.assertEqual(list(matcher.match(fixed("sudo", "2"))), [])

    def test_one_process_per_package(self) -> None:
        """A scanner starts no process."""
        root = Path(patches.__file__).parent
        starting = set()
        for path in [*root.glob("scanner/**/*.py"), *root.glob("*.py")]:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
                called = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
                words = {*names, called.rpartition(".")[2]} - {"system"}
                if called == "os.system" or {"subprocess", "spawnProcess", "popen", "fork"} & words:
                    starting.add(path.name)
        self.assertEqual(starting, set())

    def test_reports_lost_on_error(self) -> None:
        """A report that could not be sent is sent when the reporter is available again, even by another process."""
        folder, clock = Path(self.mktemp()), Clock()
        Outbox(folder).put(lambda number: {"number": number})
        for answer, left in ((REFUSED, 1), (Canned(500), 1), (Canned(200), 0)):
            outbox = Outbox(folder)
            exchange = HttpClient(CannedHTTP(answer), "http://reporter", clock, 1000)
            self.successResultOf(ensureDeferred(Delivery(outbox, exchange, clock).send_all()))
            self.assertEqual(len(outbox.pending()), left)

    def test_no_time_outs(self) -> None:
        """A peer that never responds is given up after a time-out."""
        clock = Clock()
        asking = ensureDeferred(HttpClient(CannedHTTP(), "http://server", clock, 1000).ask("GET", "/"))
        clock.advance(29)
        self.assertNoResult(asking)
        clock.advance(2)
        self.failureResultOf(asking)


class BudgetDefects(SynchronousTestCase):
    """Defects of the memory budget."""

    def test_memory_never_given_back(self) -> None:
        """A granted amount that is released can be granted again, any number of times."""
        budget = Budget(1000)
        for _ in range(100):
            self.assertTrue(budget.take("window", 900))
            budget.release("window", 900)
        self.assertEqual(budget.free("window"), 1000)
