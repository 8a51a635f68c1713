"""Tests for :mod:`patches.scanner.list_origin`."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.client import PatchesClient
from patches.scanner.client.http_client import HttpClient
from patches.scanner.client.kept_lists import KeptLists
from patches.scanner.list_origin import PROBE_SECONDS, ListOrigin, ListSource, probe
from patches.scanner.options import DEFAULT_SERVER, AccessSettings, StandaloneSettings
from patches.scanner.output.screen import Screen
from patches.settings import BadSetting
from tests.scanner.scripted_client import REFUSED, Canned, CannedHTTP, document, error

_LISTS = document(200, {"platforms": []})


class ProbeTests(SynchronousTestCase):
    """Whatever is at the default address."""

    def asked(self, *answers: Canned | BaseException) -> str | None:
        """Return what it is."""
        clock = Clock()
        asking = ensureDeferred(probe(HttpClient(CannedHTTP(*answers), DEFAULT_SERVER, clock, 1 << 20)))
        clock.advance(PROBE_SECONDS)
        return self.successResultOf(asking)

    def test_server(self) -> None:
        """A patches-server, also one that cannot answer now."""
        for answer in (_LISTS, error(503, "busy"), error(429, "too-many")):
            self.assertEqual(self.asked(answer), "")

    def test_nothing(self) -> None:
        """An address where nobody listens."""
        self.assertIsNone(self.asked(REFUSED))

    def test_others(self) -> None:
        """Whatever else is there is told, and is no reason to do without it."""
        for answers, said in (
            ((Canned(404, b"<html>", {"Server": "nginx"}),), "is no patches-server: it answered 404, as nginx"),
            ((document(200, {"lists": []}),), "is no patches-server: it answered 200;"),
            ((document(200, []),), "is no patches-server"),
            ((ValueError("odd"),), "cannot be made"),
            ((), "did not answer within 5 s"),
        ):
            found = self.asked(*answers)
            self.assertIn(said, str(found))
            self.assertIn(DEFAULT_SERVER, str(found))


class ListOriginTests(SynchronousTestCase):
    """The choice."""

    def setUp(self) -> None:
        self.http = CannedHTTP()

    def origin(self, access: AccessSettings | None = None, **chosen: object) -> ListOrigin:
        """Return the origin of a command."""
        standalone, folder = StandaloneSettings(**chosen), Path(self.mktemp())  # type: ignore[arg-type]
        return ListOrigin(access or AccessSettings(), standalone, None, self.http, Screen(), Clock(), folder)

    def found(self, origin: ListOrigin) -> ListSource:
        """Return what the list is read from."""
        return self.successResultOf(ensureDeferred(origin.find("debian-12")))

    def test_named(self) -> None:
        """A server that is named is the one, whether it is there or not; nobody is asked before."""
        origin = self.origin(AccessSettings(patches_server=DEFAULT_SERVER))
        self.assertIsInstance(self.found(origin), PatchesClient)
        self.assertEqual(self.http.asked, [])

    def test_default(self) -> None:
        """A patches-server at the default address is used; what else is there ends the scan as incomplete."""
        self.http.answers = [_LISTS, Canned(404)]
        self.assertIsInstance(self.found(self.origin()), PatchesClient)
        origin = self.origin()
        source = self.found(origin)
        assert isinstance(source, KeptLists)
        self.assertIn("is no patches-server", str(source.problem))
        self.assertIsNone(origin.folder)  # a kept list does not stand in

    def test_offline(self) -> None:
        """Nobody is asked."""
        source = self.found(self.origin(offline=True))
        assert isinstance(source, KeptLists)
        self.assertIn("no list of debian-12 is kept in ", str(source.problem))
        self.assertEqual(self.http.asked, [])

    def test_contradictions(self) -> None:
        """Options that exclude each other are wrong usage."""
        named = AccessSettings(patches_server="http://lists.example")
        for access, chosen, said in (
            (None, {"offline": True, "standalone": True}, "--offline and --standalone"),
            (None, {"offline": True, "source": {"kind": "osv", "path": "a"}}, "--offline and --source"),
            (None, {"source": {"kind": "osv", "path": "a"}, "list_file": Path("a")}, "--source and --list"),
            (named, {"standalone": True}, "--standalone and --patches-server"),
            (named, {"list_file": Path("a")}, "--list and --patches-server"),
        ):
            failed = self.failureResultOf(ensureDeferred(self.origin(access, **chosen).find("debian-12")), BadSetting)
            self.assertEqual(failed.getErrorMessage(), f"{said} exclude each other")
