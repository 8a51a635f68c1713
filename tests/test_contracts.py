"""Values that other programs rely on, repeated here: a change of one changes a contract, and this file."""

from __future__ import annotations

import ast
import hashlib
import json
from datetime import timedelta
from pathlib import Path

from attrs import AttrsInstance
from twisted.trial.unittest import SynchronousTestCase

from patches import platforms, vulnerability, wire
from patches.platforms import FAMILIES, InvalidPlatform, Platform
from patches.reporter.service import ReporterSettings
from patches.scanner.client.cache import ListCache
from patches.scanner.client.trust import NotTrusted, SeenLists, Trust
from patches.scanner.inventory import MOST_PACKAGES
from patches.scanner.matching.makers import OWN
from patches.scanner.matching.rules import Rule
from patches.scanner.options import ScanCommandSettings
from patches.scanner.outcome import Coverage, ListInfo, Verdict
from patches.scanner.output import exit_codes
from patches.scanner.reporting.outbox import MOST_PENDING, Outbox
from patches.server import errors
from patches.server.catalogue import CATALOGUE, chunks, pruning
from patches.server.catalogue.delta import delta_name
from patches.server.http.errors import api_error
from patches.server.options import ServerSettings, window_size
from patches.server.refresh.schedule import Schedule
from patches.server.sessions import table, tokens
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from patches.server.sessions.session import Limits
from patches.server.sessions.states import LIVE
from patches.settings import settings_of
from patches.signing import SigningKey, VerifyKey, create_keys, manifest_bytes
from patches.sources.fetch.fetcher import TRIES
from patches.sources.fetch.retry import FetchSettings
from patches.vulnerability import Severity

PATCHES = Path(platforms.__file__).parent

#: family: version scheme, the kind of packages that its lists name.
SCHEMES = {
    **dict.fromkeys(("debian", "ubuntu"), ("dpkg", "source")),
    **dict.fromkeys(("alpine", "wolfi", "chainguard"), ("apk", "source")),
    **dict.fromkeys(("centos", "centos-stream", "rhel", "alma", "oracle"), ("rpm", "binary")),
    **dict.fromkeys(("amazon", "fedora", "photon"), ("rpm", "binary")),
    **dict.fromkeys(("rocky", "sles", "opensuse-leap", "opensuse", "mageia"), ("rpm", "source")),
    **dict.fromkeys(("openeuler", "azurelinux", "sl-micro"), ("rpm", "source")),
}


class LimitTests(SynchronousTestCase):
    """Limits of what is accepted, stored and sent."""

    def test_bytes(self) -> None:
        """Sizes in bytes."""
        self.assertEqual(wire.MAX_CHUNK_BYTES, 1_048_576)
        self.assertEqual(chunks.TARGET_BYTES, 819_200)
        self.assertEqual(chunks.MAX_ENCODED_BYTES, 65_536)
        self.assertEqual(tokens.MAX_TOKEN_LENGTH, 512)
        self.assertEqual(FetchSettings().max_bytes, 4_294_967_296)

    def test_numbers(self) -> None:
        """Numbers of items."""
        self.assertEqual(MOST_PENDING, 100)
        self.assertEqual(MOST_PACKAGES, 200_000)
        self.assertEqual(pruning.MOST_REPLACED, 8)
        self.assertEqual(table.REMEMBERED, 1024)
        limits = Limits()
        self.assertEqual((limits.max_active, limits.max_queued), (4096, 8192))

    def test_times(self) -> None:
        """Times, in seconds."""
        limits = Limits()
        self.assertEqual((limits.session_timeout, limits.queue_timeout, limits.chunk_timeout), (30, 60, 60))
        self.assertEqual(Schedule(timedelta(hours=6)).keep, timedelta(days=1))

    def test_fetching(self) -> None:
        """The limits of retries at a source."""
        settings = FetchSettings()
        self.assertEqual((settings.tries, settings.redirects, settings.timeout_seconds), (6, 5, 60))
        pauses = settings.pause_seconds, settings.max_pause_seconds, settings.max_retry_after_seconds
        self.assertEqual(pauses, (1, 30, 120))
        self.assertEqual((settings.parallel, settings.rate, TRIES), (4, None, 5))

    def test_clocks(self) -> None:
        """A list may be checked a day ahead of this host's clock, and no second more."""
        path = Path(self.mktemp())
        public = create_keys(path)
        key, now = SigningKey.from_file(path), 1_700_000_000.0
        trust = Trust(VerifyKey.from_file(public), SeenLists(Path(self.mktemp())), lambda: now)
        for ahead, expected in ((86_400, True), (86_401, False)):
            checked = wire.rfc3339(now + ahead)
            snapshot = {"revision": "r", "created": "c", "checked": checked, "vulnerabilities": 1, "digest": "d"}
            signed = {**snapshot, "signature": key.sign(manifest_bytes("debian-12", snapshot))}
            if expected:
                trust.admit("debian-12", signed)
            else:
                self.assertRaises(NotTrusted, trust.admit, "debian-12", signed)

    def test_platform_names(self) -> None:
        """A platform's name has 64 characters at most."""
        self.assertEqual(str(Platform.from_name("debian-" + "1" * 57)), "debian-" + "1" * 57)
        self.assertRaises(InvalidPlatform, Platform.from_name, "debian-" + "1" * 58)

    def test_tokens(self) -> None:
        """A token of 512 characters is read; a longer one is refused unread."""
        key = tokens.TokenKey(b"k" * 32)
        bytes_in_it = 512 * 3 // 4
        revision = "r" * (bytes_in_it - 32 - len("debian-12 "))
        token = key.create("debian-12", revision)
        self.assertEqual((len(token), key.read(token)), (512, ("debian-12", revision)))
        longer = key.create("debian-12", revision + "r")
        self.assertEqual(self.assertRaises(errors.BadToken, key.read, longer).args, ("too long",))

    def test_keys_of_tokens(self) -> None:
        """A key has 32 bytes, or more."""
        self.assertRaises(ValueError, tokens.TokenKey, b"k" * 31)
        for length in (32, 33):
            tokens.TokenKey(b"k" * length)

    def test_window(self) -> None:
        """A window holds one chunk of the largest size at least."""
        self.assertRaises(ValueError, window_size, str(MAX_RESPONSE_BYTES - 1))
        self.assertEqual(
            [window_size(str(MAX_RESPONSE_BYTES + more)) for more in (0, 1)],
            [MAX_RESPONSE_BYTES, MAX_RESPONSE_BYTES + 1],
        )

    def test_encoded_chunks(self) -> None:
        """A chunk of the largest encoded size is cut; a record that is longer by a byte is refused."""
        line = bytes(range(256)) * 8 + b"\n"
        [chunk] = chunks.cut_chunks([line])
        size = len(chunk.encoded)
        self.assertEqual(len(list(chunks.cut_chunks([line], largest=size))), 1)
        self.assertRaises(chunks.RecordTooLarge, list, chunks.cut_chunks([line], largest=size - 1))

    def test_bodies_of_chunks(self) -> None:
        """A body of the largest size is cut whole; one byte more is two chunks, or refused if it is one record."""
        most = wire.MAX_CHUNK_BYTES
        for size, expected in ((most - 1, 1), (most, 1), (most + 1, 2)):
            lines = [b"x" * (size // 2), b"x" * (size - size // 2)]
            self.assertEqual(len(list(chunks.cut_chunks(lines, target=4 * most))), expected, size)
        self.assertEqual(len(list(chunks.cut_chunks([b"x" * most]))), 1)
        self.assertRaises(chunks.RecordTooLarge, list, chunks.cut_chunks([b"x" * (most + 1)]))

    def test_target_of_chunks(self) -> None:
        """Lines go into one chunk as long as they do not exceed its target."""
        for sizes, expected in (((5, 5), 1), ((5, 6), 2), ((4, 5), 1), ((11,), 1), ((11, 1), 2)):
            self.assertEqual(len(list(chunks.cut_chunks([b"x" * size for size in sizes], target=10))), expected, sizes)


class DefaultTests(SynchronousTestCase):
    """The defaults of the programs."""

    def defaults(self, declared: type[AttrsInstance], *names: str) -> list[str | None]:
        """Return the defaults of some settings, as a user would write them."""
        known = {setting.name: setting.default for setting in settings_of(declared)}
        return [known[name] for name in names]

    def test_server(self) -> None:
        """The server's."""
        self.assertEqual(
            self.defaults(ServerSettings, "window-bytes", "memory-limit", "max-active", "max-queued"),
            ["32MiB", "256MiB", "4096", "8192"],
        )
        times = self.defaults(ServerSettings, "session-timeout", "queue-timeout", "chunk-timeout", "refresh-interval")
        self.assertEqual(times, ["30s", "60s", "60s", "6h"])
        rest = self.defaults(ServerSettings, "listen", "state-dir", "keep-replaced", "most-shrink", "clair-full-walk")
        self.assertEqual(rest, ["tcp:8080:interface=127.0.0.1", "/var/lib/patches-server", "1d", "10%", "1d"])

    def test_reporter(self) -> None:
        """The reporter's."""
        names = self.defaults(ReporterSettings, "listen", "state-dir", "max-body")
        self.assertEqual(names, ["tcp:8090:interface=127.0.0.1", "/var/lib/patches-reporter", "16MiB"])

    def test_scanner(self) -> None:
        """The scanner's."""
        found = {each.name: each.default for each in settings_of(ScanCommandSettings)}
        expected = {
            "patches-server": None,  # where it is known whether one is named; see the next line
            "patience": "10m",
            "max-age": "7d",
            "fail-on": "unknown",
            "allow-unknown-severity": "false",
            "include-unfixed": "false",
        }
        self.assertEqual({name: found[name] for name in expected}, expected)


class NameTests(SynchronousTestCase):
    """Files on disk, which the next version finds."""

    def test_files(self) -> None:
        """Databases and keys."""
        self.assertEqual(CATALOGUE, "catalogue.sqlite")
        for path, names in (
            ("server/assembly/sessions.py", {"session.key"}),
            ("server/assembly/refresh.py", {"lists.sqlite"}),
            ("reporter/service.py", {"reports.sqlite"}),
            ("scanner/scan_inputs.py", {"seen"}),
        ):
            tree = ast.parse((PATCHES / path).read_text("utf-8"))
            constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
            self.assertLessEqual(names, constants)

    def test_outbox(self) -> None:
        """A report is named after its number, of ten digits, and so is its digest; the last number is in a file."""
        folder = Path(self.mktemp()) / "new" / "outbox"
        outbox = Outbox(folder)
        path = outbox.put(lambda number: {"number": number})
        names = ["0000000001.json", "0000000001.sha256", "last-number", "rejected"]
        self.assertEqual(sorted(each.name for each in folder.iterdir()), names)
        self.assertEqual((path.read_bytes(), (folder / "last-number").read_bytes()), (b'{"number":1}', b"1\n"))
        self.assertEqual([each.stat().st_mode & 0o777 for each in (folder, folder / "rejected")], [0o700, 0o700])
        outbox.reject(path)
        self.assertTrue((folder / "rejected" / "0000000001.json").is_file())

    def test_lists(self) -> None:
        """A cached list has a description, and its chunks are in a file with its revision."""
        folder = Path(self.mktemp())
        cached = ListCache(folder, "debian-12").keep()
        assert cached is not None
        cached.add(b"x\n")
        cached.commit({"revision": "r" * 80, "digest": "d"})
        cached.close()
        names = sorted(each.name for each in folder.iterdir())
        self.assertEqual(names, [f"debian-12-{'r' * 64}.chunks", "debian-12.json"])
        description = (folder / "debian-12.json").read_text()
        snapshot = f'{{"revision": "{"r" * 80}", "digest": "d"}}'
        digest = hashlib.sha256(f'{{"digest": "d", "revision": "{"r" * 80}"}}'.encode()).hexdigest()
        self.assertEqual(description, f'{{"version": 1, "snapshot": {snapshot}, "digest": "{digest}"}}')

    def test_description(self) -> None:
        """A description of 64 KiB is read; a longer one is refused."""
        folder = Path(self.mktemp())
        folder.mkdir()
        for size, there in ((65_536, True), (65_537, False)):
            text = '{"version": 1, "snapshot": {"revision": "r"}}'
            (folder / "debian-12.json").write_text(" " * (size - len(text)) + text)
            self.assertEqual(ListCache(folder, "debian-12").cached() is not None, there, size)

    def test_seen(self) -> None:
        """The file of facts about a platform has a name of its own."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "debian-12.json").write_text('{"revision": "r1", "checked": 7.5}')
        seen = SeenLists(folder).newest("debian-12")
        assert seen is not None
        self.assertEqual((seen.revision, seen.checked), ("r1", 7.5))
        SeenLists(folder).note("debian-13", seen)
        told = b'{"revision": "r1", "checked": 7.5, "serial": 7}'
        self.assertEqual(
            json.loads((folder / "debian-13.json").read_text()),
            {"revision": "r1", "checked": 7.5, "serial": 7, "sha256": hashlib.sha256(told).hexdigest()},
        )

    def test_delta(self) -> None:
        """The name of a delta follows from the revisions."""
        self.assertEqual(delta_name("a", "b"), "c8687a08aa5d6ed2044328fa6a697ab8")


class WordTests(SynchronousTestCase):
    """Words in documents, on the wire and in metrics."""

    def test_verdicts(self) -> None:
        """The verdicts of a scan, and their exit codes."""
        self.assertEqual(
            [str(each) for each in Verdict], ["clean", "findings", "incomplete", "stale", "unsupported", "error"]
        )
        codes = exit_codes.CLEAN, exit_codes.FINDINGS, exit_codes.INCOMPLETE, exit_codes.UNSUPPORTED
        self.assertEqual((*codes, exit_codes.ERROR, exit_codes.INTERRUPTED), (0, 1, 3, 4, 5, 130))

    def test_statuses(self) -> None:
        """The statuses of packages, and the kinds."""
        self.assertEqual(vulnerability.KINDS, ("source", "binary"))
        expected = {"fixed", "affected", "will_not_fix", "deferred", "under_investigation", "not_affected"}
        self.assertEqual(set(vulnerability.STATUSES), {*expected, "end_of_life", "unreadable"})

    def test_severities(self) -> None:
        """The severities, as numbers on the wire."""
        names = ["UNKNOWN", "NEGLIGIBLE", "LOW", "MEDIUM", "HIGH", "CRITICAL", "URGENT"]
        self.assertEqual({each.name: int(each) for each in Severity}, {name: n for n, name in enumerate(names)})

    def test_sessions(self) -> None:
        """The states of a session."""
        self.assertEqual([str(state) for state in LIVE], ["queued", "active", "complete"])

    def test_platforms(self) -> None:
        """The families, the orders of their versions, and the kinds of packages that their lists name."""
        self.assertEqual(dict(FAMILIES), SCHEMES)

    def test_vendors(self) -> None:
        """The prefixes of vendor names in a distribution's own packages."""
        suse = ("opensuse", "suse")
        expected = {
            "debian": ("debian", "raspbian"),
            "ubuntu": ("ubuntu", "debian", "canonical"),
            **dict.fromkeys(("centos", "centos-stream"), ("centos",)),
            **{"rhel": ("red hat",), "rocky": ("rocky",), "alma": ("almalinux",), "oracle": ("oracle",)},
            **{"amazon": ("amazon",), "fedora": ("fedora",), "sles": ("suse",), "photon": ("vmware", "broadcom")},
            **{"opensuse-leap": suse, "opensuse": suse, "azurelinux": ("microsoft",)},
            **{"sl-micro": ("suse",), "mageia": ("mageia",), "openeuler": ("openeuler",)},
        }
        self.assertEqual(dict(OWN), expected)

    def test_rulings(self) -> None:
        """The result of each rule for a package: affected, not affected, or not evaluated."""
        affected = {Rule.NO_FIX, Rule.BELOW_FIX, Rule.UP_TO_LAST}
        unjudged = {
            *(Rule.INVALID_INSTALLED, Rule.INVALID_LISTED, Rule.UNREADABLE, Rule.STREAM, Rule.NO_ORDER),
            *(Rule.DAMAGED, Rule.FOREIGN, Rule.NO_TRACK, Rule.NO_REPOSITORY),
        }
        for ruling in Rule:
            expected = True if ruling in affected else None if ruling in unjudged else False
            self.assertIs(ruling.affects, expected, ruling)
        self.assertEqual(len({ruling.text for ruling in Rule}), 20)

    def test_nothing_judged(self) -> None:
        """Without a listing nothing is counted."""
        judged, listed = Coverage(), ListInfo()
        self.assertEqual((judged.installed, judged.fine, listed.served), (0, 0, 0))


class ErrorTests(SynchronousTestCase):
    """Error codes, with their HTTP statuses."""

    def test_errors(self) -> None:
        """Each error of the server has its status, its code, and its time to retry."""
        for error, status, code, retry_after in (
            (errors.Denied("queue-full", "m", 7), 503, "queue-full", 7),
            (errors.Denied("memory-limit", "m", 8), 503, "memory-limit", 8),
            (errors.NotReady("debian-12"), 503, "not-ready", 10),
            (errors.UnknownPlatform("x"), 404, "unknown-platform", None),
            (errors.UnknownSession("x"), 404, "unknown-session", None),
            (errors.BadToken("x"), 404, "unknown-session", None),
            (errors.SessionExpired("x"), 410, "expired", None),
            (errors.ChunkMissing("x"), 410, "expired", None),
            (errors.CatalogueError("x"), 503, "catalogue", 5),
            (errors.OutOfOrder(3, 2), 409, "out-of-order", None),
            (errors.WindowClosed("x"), 409, "resumed", None),
        ):
            problem = api_error(error)
            assert problem is not None
            self.assertEqual((problem.status, problem.code, problem.retry_after), (status, code, retry_after), error)
        self.assertIsNone(api_error(ValueError("a bug")))
