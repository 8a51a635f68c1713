"""Tests for :mod:`patches.server.refresh.publication.enriching`: when platforms are published again."""

from __future__ import annotations

import gzip

from twisted.internet.defer import Deferred

from patches.errors import SourceError
from patches.server.refresh.publication.enriching import DAY_SECONDS
from patches.vulnerability import ALL_PLATFORMS, Severity, Vulnerability
from patches.wire import decode_lines
from tests.server.fake_catalogue import vulnerability
from tests.server.fake_source import HOUR, PutPublic, PutSource, RefreshCase

FIRST, SECOND = vulnerability(1).name, vulnerability(2).name


def facts(name: str, **known: object) -> Vulnerability:
    """Return a record of an enriching source."""
    return Vulnerability(name, ALL_PLATFORMS, source="some", **known)  # type: ignore[arg-type]


class EnrichingCase(RefreshCase):
    """A case with two platforms and sources of KEV and of EPSS; each list has a state that the tests change."""

    def setUp(self) -> None:
        super().setUp()
        self.kev, self.epss = PutSource("kev"), PutSource("epss")
        self.kev.enriches, self.epss.enriches = "kev", "epss"
        self.put("alpine-3.20", 1)
        self.source.lists["alpine-3.20"] = [vulnerability(77, "alpine-3.20")]
        for source in (self.source, self.kev, self.epss):
            source.states = {"debian-12": "1", "alpine-3.20": "1", "all": "1"}
        self.kev.lists["all"] = [facts("CVE-1999-9999", kev="2021-11-03")]
        self.epss.lists["all"] = [facts(FIRST, epss=0.4)]
        self.refresh = self.create_refresher(self.kev, self.epss)

    def say(self, source: PutSource, *records: object) -> None:
        """Change the list of an enriching source."""
        source.lists["all"] = list(records)
        source.states["all"] += "+"

    def record(self, name: str = FIRST, platform: str = "debian-12") -> Vulnerability:
        """Return a record of the current list of a platform."""
        snapshot = self.refresh.registry.current(platform)
        records = decode_lines(gzip.decompress(self.catalogue.chunk(snapshot.revision, 0).encoded))
        return next(each for each in records if each.name == name)

    def publications(self, platform: str = "debian-12") -> int | None:
        """Return the number of the current publication of a platform."""
        return self.refresh.registry.current(platform).publication


class EnrichingTests(EnrichingCase):
    """Publications that enriching sources cause."""

    def test_merged(self) -> None:
        """The facts are in the first publication that is made after they were read, with the names of the sources."""
        self.tick()
        self.assertEqual((self.record().epss, self.record().kev, self.record(SECOND).epss), (0.4, None, None))
        snapshot = self.refresh.registry.current("debian-12")
        self.assertEqual((snapshot.enrichments, snapshot.enriching_sources), (("epss", "kev"), {"kev", "epss"}))
        self.assertEqual(snapshot.sources["kev"], {"read": 1, "skipped": {}, "enriches": "kev"})
        self.assertEqual((self.publications(), self.publications("alpine-3.20")), (1, 1))
        self.assertEqual(set(self.refresh.statuses), {"debian-12", "alpine-3.20"})

    def test_own_severity(self) -> None:
        """The severity of the source stands; one that is unknown is filled, and says by whom."""
        rating = {"severity": Severity.CRITICAL, "severity_source": "nvd", "score": 9.8}
        self.epss.enriches = "cvss"
        self.source.lists["debian-12"] = [
            Vulnerability(FIRST, "debian-12", vulnerability(1).fixed_in, Severity.LOW),
            Vulnerability(SECOND, "debian-12", vulnerability(2).fixed_in),
        ]
        self.say(self.epss, facts(FIRST, **rating), facts(SECOND, **rating))
        self.tick()
        own, filled = self.record(FIRST), self.record(SECOND)
        self.assertEqual((own.severity, own.severity_source, own.score), (Severity.LOW, None, 9.8))
        self.assertEqual((filled.severity, filled.severity_source), (Severity.CRITICAL, "nvd"))

    def test_once_a_day(self) -> None:
        """A change of an enriching source alone is published when the list is a day old, and only once."""
        self.tick()
        for band in (0.5, 0.6, 0.7):
            self.say(self.epss, facts(FIRST, epss=band))
            self.tick(HOUR)
        self.assertEqual((self.record().epss, self.publications()), (0.4, 1))
        self.tick(DAY_SECONDS)
        self.assertEqual((self.record().epss, self.publications(), self.publications("alpine-3.20")), (0.7, 2, 1))
        self.say(self.epss, facts(FIRST, epss=0.8))
        self.tick(HOUR)
        self.assertEqual((self.record().epss, self.publications()), (0.7, 2))

    def test_with_others(self) -> None:
        """A change of the platform's own list takes the facts along."""
        self.tick()
        self.say(self.epss, facts(FIRST, epss=0.5))
        self.put("debian-12", 11)
        self.source.states["debian-12"] = "2"
        self.tick(HOUR)
        self.assertEqual((self.record().epss, self.publications()), (0.5, 2))
        self.tick(DAY_SECONDS)
        self.assertEqual((self.publications(), self.publications("alpine-3.20")), (2, 1))

    def test_new_entry(self) -> None:
        """A new entry of KEV is published at once where a record has its id, and nowhere else."""
        self.tick()
        self.say(self.kev, facts("CVE-1999-9999", kev="2021-11-03"), facts(SECOND, kev="2023-11-14"))
        self.tick(HOUR)
        self.assertEqual((self.record(SECOND).kev, self.publications()), ("2023-11-14", 2))
        self.assertEqual(self.publications("alpine-3.20"), 1)

    def test_entry_of_no_record(self) -> None:
        """A new entry that no record has changes nothing, at once and later; nor does one that is corrected."""
        self.tick()
        before = self.refresh.registry.current("debian-12").revision
        self.say(self.kev, facts("CVE-1999-9999", kev="2022-11-03"), facts("CVE-1999-9998", kev="2021-11-03"))
        self.tick(HOUR)
        self.tick(2 * DAY_SECONDS)
        self.assertEqual((self.refresh.registry.current("debian-12").revision, self.publications()), (before, 1))

    def test_late_source(self) -> None:
        """An enriching source that is slow delays nobody; when it is read, the lists are made with it at once."""
        waiting: Deferred[None] = Deferred()
        self.say(self.epss, waiting, facts(FIRST, epss=0.4))
        self.tick()
        self.assertEqual((self.record().epss, self.refresh.registry.current("debian-12").enrichments), (None, ("kev",)))
        del self.epss.lists["all"][0]
        waiting.callback(None)
        self.tick(1)
        self.tick(1)
        self.assertEqual((self.record().epss, self.publications()), (0.4, 2))

    def test_at_rest(self) -> None:
        """A command that reads one list waits for the facts, too: until they are published, or for a minute."""
        waiting: Deferred[None] = Deferred()
        self.say(self.epss, waiting, facts(FIRST, epss=0.4))
        self.tick()
        self.assertFalse(self.refresh.is_at_rest("debian-12"))
        self.tick(59)
        self.assertFalse(self.refresh.is_at_rest("debian-12"))
        self.tick(2)
        self.assertTrue(self.refresh.is_at_rest("debian-12"))
        del self.epss.lists["all"][0]
        waiting.callback(None)

    def test_at_rest_when_published(self) -> None:
        """Facts that are read between two ticks are published before a platform is at rest."""
        waiting: Deferred[None] = Deferred()
        self.say(self.epss, waiting, facts(FIRST, epss=0.4))
        self.tick()
        del self.epss.lists["all"][0]
        waiting.callback(None)
        self.assertFalse(self.refresh.is_at_rest("debian-12"))
        self.tick(1)
        self.assertEqual((self.refresh.is_at_rest("debian-12"), self.record().epss), (True, 0.4))

    def test_failing_source(self) -> None:
        """The last list of an enriching source stays when it fails, which is a problem of the server, of no list."""
        self.tick()
        self.epss.trouble = SourceError("away")
        self.put("debian-12", 11)
        self.source.states["debian-12"] = "2"
        self.tick(HOUR)
        self.assertEqual((self.record().epss, self.refresh.statuses["debian-12"].error), (0.4, None))
        self.assertEqual(self.refresh.registry.problem, "epss: away")

    def test_restart(self) -> None:
        """A restart publishes nothing again; what was read and not published before it is not lost."""
        self.tick()
        self.refresh = self.create_refresher(self.kev, self.epss)
        self.successResultOf(Deferred.fromCoroutine(self.refresh.load_current()))
        self.tick(1)
        self.tick(1)
        self.assertEqual(self.publications(), 1)
        self.say(self.epss, facts(FIRST, epss=0.5))
        self.tick(HOUR)
        self.refresh = self.create_refresher(self.kev, self.epss)
        self.successResultOf(Deferred.fromCoroutine(self.refresh.load_current()))
        self.tick(1)
        self.assertEqual((self.record().epss, self.publications()), (0.4, 1))
        self.tick(DAY_SECONDS)
        self.assertEqual((self.record().epss, self.publications()), (0.5, 2))

    def test_restart_before_entry(self) -> None:
        """A new entry of KEV that was read before a restart is published at once after it."""
        self.tick()
        self.say(self.kev, facts(SECOND, kev="2023-11-14"))
        import_id = self.lists.begin("kev", "all")
        self.lists.add(import_id, [facts(SECOND, kev="2023-11-14")])
        known = self.lists.known("kev", "all")
        assert known is not None
        self.lists.commit(import_id, known[0])
        self.refresh = self.create_refresher(self.kev, self.epss)
        self.successResultOf(Deferred.fromCoroutine(self.refresh.load_current()))
        self.tick(1)
        self.tick(1)
        self.assertEqual((self.record(SECOND).kev, self.publications()), ("2023-11-14", 2))

    def test_removed_source(self) -> None:
        """A source that is no longer configured takes its facts along, at once."""
        self.tick()
        self.refresh = self.create_refresher(self.kev)
        self.successResultOf(Deferred.fromCoroutine(self.refresh.load_current()))
        for _ in range(3):
            self.tick(1)
        self.assertEqual((self.record().epss, self.publications()), (None, 2))
        self.assertEqual(self.refresh.registry.current("debian-12").enrichments, ("kev",))
        self.tick(1)
        self.assertEqual(self.publications(), 2)

    def test_public(self) -> None:
        """Public sources are read while a platform is read from one, unless one of the kind is configured."""
        self.public = public = PutPublic()
        other = PutSource("public-kev")
        other.enriches, other.lists = "kev", {"all": [facts(SECOND, kev="2024-01-01")]}
        public.about_all = [other, self.epss]
        public.lists["ubuntu-24.04"] = [vulnerability(1, "ubuntu-24.04")]
        self.refresh = self.create_refresher(self.kev)
        self.tick()
        self.assertEqual((self.epss.asked, self.record().epss), ([], None))
        self.refresh.registry.requested.ask("ubuntu-24.04")
        for _ in range(3):
            self.tick(1)
        self.assertEqual((self.record(platform="ubuntu-24.04").epss, self.record().epss, other.asked), (0.4, 0.4, []))

    def test_chosen_platforms(self) -> None:
        """Facts are read though platforms are chosen; no platform is made of them."""
        self.platforms = ("debian-12",)
        self.refresh = self.create_refresher(self.kev, self.epss)
        self.tick()
        self.assertEqual((self.record().epss, set(self.refresh.statuses)), (0.4, {"debian-12"}))

    def test_nothing_rated(self) -> None:
        """A list of an enriching source may have nothing but skipped entries: the first days of a year."""
        self.epss.skipped["not rated"] = 2
        self.say(self.epss)
        self.tick()
        self.assertIsNone(self.refresh.registry.problem)
        self.assertEqual(self.publications(), 1)
