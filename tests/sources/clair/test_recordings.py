"""Recordings of Clair 2.0.6, replayed: the parsers read its responses, and the double sends the same."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.platforms import Platform
from patches.sources.clair.namespaces import platform_of
from patches.sources.clair.parser import is_error, parse_details, parse_namespaces, parse_page
from patches.sources.ids import named_ids
from patches.testing import ClairDouble
from patches.vulnerability import Vulnerability
from tests.raw_http import Connection, HttpClient
from tests.shared_data import shared
from tests.sources.clair_in_memory import MemoryCase
from tests.testing.clair.test_double import DoubleCase

PAGE_TOKEN = re.compile(r'"NextPage":"([^"]*)"')
#: Not replayed: writing requests, a token that is not recorded, and one for a row with an unknown id.
NOT_REPLAYED = {"put details", "delete details", "limit-0-refreshed-token-used", "page-token-other-namespace"}


def exchanges(file: str) -> Iterator[dict[str, Any]]:
    """Yield the recorded requests to the API that got a response."""
    path = shared(f"data/clair-v1/recordings/{file}.json")
    for exchange in json.loads(path.read_text(encoding="utf-8"))["exchanges"]:
        answered = "body" in exchange.get("response", ()) and "port" not in exchange["request"]
        if answered and exchange["id"] not in NOT_REPLAYED:
            yield exchange


def shared_json_lines(path: str) -> Iterator[dict[str, Any]]:
    """Yield the objects in a compressed file of JSON lines."""
    with gzip.open(shared(path), "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def details_in(*files: str) -> Iterator[dict[str, Any]]:
    """Yield every vulnerability that was recorded with its packages."""
    for file in files:
        for exchange in exchanges(file):
            response = exchange["response"]
            if (
                response["status"] == 200
                and exchange["request"]["path"].endswith("?fixedIn")
                and not response.get("trimmed")
            ):
                yield json.loads(response["body"])["Vulnerability"]


class ParserTests(SynchronousTestCase):
    """The parsers, on Clair's responses."""

    def test_sample_walk(self) -> None:
        """Two pages each of some namespaces: the details of every name on them are parsed without a loss."""
        names: dict[str, list[str]] = {}
        for exchange in exchanges("14-sample-walk"):
            body = exchange["response"]["body"].encode()
            kind, namespace, name = exchange["id"].split(" ", 2)
            platform = Platform.from_name(str(platform_of(namespace)))
            if kind == "list":
                names.setdefault(namespace, []).extend(parse_page(body, platform).names)
                continue
            self.assertEqual(name, names[namespace].pop(0))
            parsed = parse_details(body, name, platform)
            self.assertEqual(parsed.left_out, ())
            raw = json.loads(body)["Vulnerability"]
            self.assertEqual(len(parsed.vulnerability.fixed_in), len(raw.get("FixedIn", ())))
            self.assertEqual(parsed.vulnerability.details_href, raw["Link"])
        self.assertGreater(len(names), 3)
        self.assertEqual([left for left in names.values() if left], [])

    def test_whole_namespace(self) -> None:
        """Ubuntu 18.04: nearly half of its vulnerabilities affect no package, and many fixes do not exist yet."""
        platform = Platform.from_name("ubuntu-18.04")
        found = []
        for record in shared_json_lines("data/clair-v1/ubuntu_18.04.jsonl.gz"):
            parsed = parse_details(json.dumps({"Vulnerability": record}).encode(), record["Name"], platform)
            self.assertEqual(parsed.left_out, ())
            found.append(parsed.vulnerability)
        packages = [package for vulnerability in found for package in vulnerability.fixed_in]
        self.assertEqual(len(found), 8899)
        self.assertEqual(sum(not vulnerability.fixed_in for vulnerability in found), 4188)
        self.assertEqual(sum(package.version is None for package in packages), 1720)
        self.assertEqual({package.version for package in packages} & {"None", "#MAXV#", ""}, set())

    def test_namespaces(self) -> None:
        """Every namespace of the recorded Clair has a platform."""
        body = next(exchanges("01-namespaces"))["response"]["body"].encode()
        found = parse_namespaces(body)
        self.assertGreater(len(found), 30)
        self.assertEqual([namespace for namespace in found if platform_of(namespace) is None], [])

    def test_errors(self) -> None:
        """Only Clair's own errors are recognised as such."""
        for file in ("02-listing", "03-http-errors", "04-details", "10-database-trouble"):
            found = list(exchanges(file))
            self.assertTrue(found, file)
            for exchange in found:
                body = exchange["response"]["body"]
                self.assertEqual(is_error(body.encode()), body.startswith('{"Error":{"Message":'), exchange["id"])


class ReplayTests(SynchronousTestCase):
    """The double, with the recorded requests."""

    def setUp(self) -> None:
        self.double = ClairDouble(Clock())
        self.tokens: dict[str, str] = {}

    def ask(self, request: dict[str, Any]) -> HttpClient:
        """Send a request to the double, with its own tokens in place of the recorded ones. Return the response."""
        target = request["path"]
        for recorded, own in self.tokens.items():
            target = target.replace(recorded, own).replace(recorded.replace("=", "%3D"), own.replace("=", "%3D"))
        return Connection(self.double.resource()).ask(request["method"], target, request["headers"])

    def replay(self, *files: str) -> int:
        """Compare the double with recordings. Return the number of equal exchanges."""
        count = 0
        for file in files:
            for exchange in exchanges(file):
                self.compare(exchange)
                count += 1
        return count

    def compare(self, exchange: dict[str, Any]) -> None:
        """Compare a response with the recorded one."""
        answer, recorded = self.ask(exchange["request"]), exchange["response"]
        headers = {name.lower(): value for name, value in recorded["headers"] if name != "Date"}
        if "gzip" in headers.get("content-encoding", "") or answer.closed:
            headers.pop("content-length", None)
            answer.headers.pop("content-length", None)
        self.assertEqual((answer.status, answer.headers), (recorded["status"], headers), exchange["id"])
        body = answer.body.decode()
        self.tokens.update(zip(PAGE_TOKEN.findall(recorded["body"]), PAGE_TOKEN.findall(body), strict=False))
        if not recorded.get("trimmed"):
            expected = PAGE_TOKEN.sub('"NextPage":"…"', recorded["body"])
            self.assertEqual(PAGE_TOKEN.sub('"NextPage":"…"', body), expected, exchange["id"])

    def test_empty(self) -> None:
        """A fresh database, and a namespace without vulnerabilities."""
        self.assertEqual(self.replay("00-empty-database"), 3)
        self.double.add_namespace("lab:empty")
        replayed = [exchange for exchange in exchanges("13-empty-namespace") if exchange["request"]["method"] == "GET"]
        for exchange in replayed:
            self.compare(exchange)
        self.assertEqual(len(replayed), 3)

    def test_namespaces(self) -> None:
        """Namespaces, and the redirects and errors around them."""
        body = next(exchanges("01-namespaces"))["response"]["body"]
        for entry in json.loads(body)["Namespaces"]:
            self.double.add_namespace(entry["Name"], entry.get("VersionFormat", ""))
        self.assertEqual(self.replay("01-namespaces"), 14)

    def test_routing_errors(self) -> None:
        """Paths without a route, and methods that are not allowed."""
        self.assertGreater(self.replay("03-http-errors"), 25)

    def test_lists(self) -> None:
        """Lists, limits and tokens."""
        for namespace in ("debian:9", "ubuntu:18.04"):
            self.double.load(namespace, shared_json_lines(f"data/clair-v1/{namespace.replace(':', '_')}.jsonl.gz"))
        whole = next(
            exchange for exchange in exchanges("02-listing") if exchange["id"] == "whole-namespace-large-limit"
        )
        self.double.load("oracle:7", json.loads(whole["response"]["body"])["Vulnerabilities"], "rpm")
        self.assertGreater(self.replay("02-listing"), 45)

    def test_details(self) -> None:
        """Details, and the walk along some namespaces."""
        self.double.load("ubuntu:18.04", shared_json_lines("data/clair-v1/ubuntu_18.04.jsonl.gz"))
        self.double.load("centos:7", shared_json_lines("data/clair-v1/centos_7.jsonl.gz"), "rpm")
        for record in details_in("04-details", "14-sample-walk"):
            self.double.load(record["NamespaceName"], [record])
        replayed = [*exchanges("04-details"), *exchanges("14-sample-walk")]
        replayed = [exchange for exchange in replayed if not exchange["id"].startswith("list ")]
        for exchange in replayed:
            self.compare(exchange)
        self.assertGreater(len(replayed), 200)


class ChangingTests(DoubleCase):
    """A list that changed while its pages were read, and its tail: step by step as recorded."""

    #: By the number of a step: its change, or the name of the token in its response.
    CHANGES = {3: ["new"], 4: ["a"], 5: ["j"], 10: ["i"], 14: ["k", "b"], 20: ["l"]}
    DELETED = {8: ["e"], 17: ["i", "k", "b"]}
    TOKENS = {1: "T1", 2: "T2", 13: "T3", 15: "T3b"}

    def test_steps(self) -> None:
        """The double returns the same names, and the same number of next pages."""
        path = shared("data/clair-v1/recordings/06-paging-under-change.json")
        steps = json.loads(path.read_text(encoding="utf-8"))["steps"]
        tokens: dict[str, str | None] = {}
        for number, step in enumerate(steps):
            for letter in self.CHANGES.get(number, ()):
                self.double.change("lab:paging", {"Name": f"V-{letter}"})
            for letter in self.DELETED.get(number, ()):
                self.double.delete("lab:paging", f"V-{letter}")
            asked = re.search(r"GET limit=(\d+)(?: page=(\w+))?", step["step"])
            self.assertEqual(asked is not None, "status" in step)
            if asked is not None:
                letters, token = self.page(int(asked[1]), tokens.get(asked[2] or ""))
                names = [name.removeprefix("V-").removesuffix(":updated") for name in step["names"]]
                self.assertEqual((letters, token is not None), (names, step["has_NextPage"]), step["step"])
                if number in self.TOKENS:
                    tokens[self.TOKENS[number]] = token
        self.assertEqual(set(tokens), set(self.TOKENS.values()))


class WholeNamespaceTests(MemoryCase):
    """Whole namespaces of the recorded Clair, through the double and the source."""

    def walk(self, namespace: str, version_format: str) -> list[Vulnerability]:
        """Load a namespace into the double, read it, and compare. Return the vulnerabilities."""
        records = list(shared_json_lines(f"data/clair-v1/{namespace.replace(':', '_')}.jsonl.gz"))
        self.double.load(namespace, records, version_format)
        listing = self.source().listing(str(platform_of(namespace)))
        found = self.read(listing)
        self.assertEqual(listing.skipped, {})
        names = [named_ids(record["Name"])[0].name for record in records]
        self.assertEqual([vulnerability.name for vulnerability in found], names)
        for vulnerability, record in zip(found, records, strict=True):
            fixes = sorted((fix["Name"], fix["Version"]) for fix in record.get("FixedIn", ()))
            packages = [(package.name, package.version or "None") for package in vulnerability.fixed_in]
            self.assertEqual(packages, fixes)
            self.assertEqual(vulnerability.details_href, record["Link"])
        self.assertEqual(self.double.requests["details"], len(records) + 1)  # the last once more
        return found

    def test_alpine(self) -> None:
        """A list in which a hundred names have a text beside the id, and two have a number: CVE-2017-17434-1."""
        found = self.walk("alpine:v3.8", "dpkg")
        self.assertEqual(len(found), 1512)
        self.assertEqual(sum(vulnerability.note is not None for vulnerability in found), 102)
        self.assertFalse(any(" " in vulnerability.name for vulnerability in found))

    def test_centos(self) -> None:
        """A list of binary packages, with up to hundreds of them per vulnerability."""
        found = self.walk("centos:7", "rpm")
        self.assertEqual(len(found), 2601)
        self.assertGreater(max(len(vulnerability.fixed_in) for vulnerability in found), 200)
        self.assertEqual({package.kind for vulnerability in found for package in vulnerability.fixed_in}, {"binary"})
