"""Tests for :mod:`patches.testing`: the double of Clair, against known behaviour of Clair 2.0.6."""

from __future__ import annotations

import json

from cryptography.fernet import Fernet
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource
from zope.interface.verify import verifyObject

from patches.testing import ClairDouble
from tests.raw_http import Connection, HttpClient

LIST = "/v1/namespaces/lab:paging/vulnerabilities"
NOT_FOUND = b'{"Error":{"Message":"the resource cannot be found"}}\n'


class DoubleCase(SynchronousTestCase):
    """A case with a double that contains ten vulnerabilities."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.double = ClairDouble(self.clock)
        self.double.load("lab:paging", [{"Name": f"V-{letter}", "Severity": "Low"} for letter in "abcdefghij"], "")
        self.connection = Connection(self.double.resource())

    def get(self, target: str, headers: dict[str, str] | None = None) -> HttpClient:
        """Send a GET request."""
        return self.connection.ask("GET", target, headers)

    def page(self, limit: int, token: str | None = None) -> tuple[list[str], str | None]:
        """Request a page. Return the letters of its names, and its token."""
        answer = self.get(f"{LIST}?limit={limit}" + (f"&page={token}" if token else ""))
        self.assertEqual(answer.status, 200, answer)
        document = json.loads(answer.body)
        return [entry["Name"][2:] for entry in document["Vulnerabilities"] or ()], document.get("NextPage")

    def assert_error(self, answer: HttpClient, status: int, message: str) -> None:
        """Check that a response is one of Clair's own errors."""
        self.assertEqual((answer.status, json.loads(answer.body)), (status, {"Error": {"Message": message}}))
        self.assertEqual(answer.headers["content-type"], "application/json;charset=utf-8")


class ListTests(DoubleCase):
    """Lists."""

    def test_resource(self) -> None:
        """A double's resource provides its interface."""
        self.assertTrue(verifyObject(IResource, self.double.resource()))

    def test_pages(self) -> None:
        """A page with exactly the remaining rows is the last one; an empty list is null."""
        letters, token = self.page(9)
        self.assertEqual("".join(letters), "abcdefghi")
        self.assertEqual(self.page(9, token), (["j"], None))
        self.assertEqual(self.page(10), (list("abcdefghij"), None))
        self.double.add_namespace("lab:empty")
        empty = self.get("/v1/namespaces/lab:empty/vulnerabilities?limit=1")
        self.assertEqual(empty.body, b'{"Vulnerabilities":null}\n')

    def test_changes_while_paging(self) -> None:
        """A new or changed row moves to the end; a token whose row is gone leads to the next row that exists."""
        _, first = self.page(4)
        _, second = self.page(4, first)
        for name in ("V-new", "V-a", "V-j"):
            self.double.change("lab:paging", {"Name": name, "Description": "updated"})
        self.assertEqual(self.page(4, second), (["i", "new", "a", "j"], None))
        self.double.delete("lab:paging", "V-e")
        self.assertEqual(self.page(4, first)[0], ["f", "g", "h", "i"])
        self.double.change("lab:paging", {"Name": "V-i"})
        self.assertEqual(self.page(4, second), (["new", "a", "j", "i"], None))
        self.assertEqual("".join(self.page(100)[0]), "bcdfghnewaji")

    def test_tail_token(self) -> None:
        """With a limit of 0 a token is renewed, unless there is no row at it or after it."""
        _, token = self.page(9)
        self.assertEqual(self.page(0)[0], [])
        names, renewed = self.page(0, token)
        self.assertEqual((names, self.page(5, renewed)), ([], (["j"], None)))
        self.double.delete("lab:paging", "V-j")
        self.assertEqual(self.page(0, token), ([], None))
        self.double.change("lab:paging", {"Name": "V-k"})
        self.assertEqual(self.page(5, token), (["k"], None))

    def test_packages_alone(self) -> None:
        """A change of packages only moves a vulnerability to the end too; its entry in the list stays the same."""
        before = json.loads(self.get(f"{LIST}?limit=10").body)["Vulnerabilities"]
        self.double.change("lab:paging", {**before[2], "FixedIn": [{"Name": "a", "Version": "1"}]})
        after = json.loads(self.get(f"{LIST}?limit=10").body)["Vulnerabilities"]
        self.assertEqual(after, [*before[:2], *before[3:], before[2]])

    def test_several_writers(self) -> None:
        """A slow writer's row may become visible behind a later one: no tail shows it then."""
        _, token = self.page(9)
        show = self.double.begin_change("lab:paging", {"Name": "V-late"})
        self.double.change("lab:paging", {"Name": "V-b"})
        letters, _ = self.page(9, token)
        self.assertEqual(letters, ["j", "b"])
        _, tail = self.page(1, token)
        show()
        self.assertEqual(self.page(9, tail)[0], ["b"])
        self.assertEqual(self.page(99)[0][-3:], ["j", "late", "b"])

    def test_tokens_are_not_of_a_namespace(self) -> None:
        """Rows are numbered across all namespaces: a token of one is a position in another too."""
        self.double.load("lab:later", [{"Name": "V-x"}])
        _, token = self.page(9)
        target = f"/v1/namespaces/lab:later/vulnerabilities?limit=9&page={token}"
        self.assertEqual([each["Name"] for each in json.loads(self.get(target).body)["Vulnerabilities"]], ["V-x"])
        later = json.loads(self.get("/v1/namespaces/lab:later/vulnerabilities?limit=0").body)["NextPage"]
        self.assertEqual(self.page(9, later), ([], None))
        self.double.change("lab:paging", {"Name": "V-c"})
        self.assertEqual(self.page(9, later), (["c"], None))

    def test_no_packages_on_lists(self) -> None:
        """A list never contains packages, whatever the parameters."""
        self.double.load("debian:9", [{"Name": "CVE-1", "FixedIn": [{"Name": "a", "Version": "1"}]}])
        answer = self.get("/v1/namespaces/debian:9/vulnerabilities?limit=1&fixedIn")
        expected = b'{"Vulnerabilities":[{"Name":"CVE-1","NamespaceName":"debian:9","Severity":"Unknown"}]}\n'
        self.assertEqual(answer.body, expected)

    def test_bad_limits(self) -> None:
        """Limits are parsed as Go parses numbers, and refused with its messages."""
        for value in ("", "abc", "2.0", "1e3", "0x10", "2%20", "1_0", "%D9%A1"):
            self.assertEqual(self.get(f"{LIST}?limit={value}").status, 400, value)
        refusal = "invalid limit format: strconv.Atoi: parsing {}: {}"
        for value, quoted in (("abc", '"abc"'), ("+2", '" 2"'), ("%22%5C", '"\\"\\\\"'), ("%00", '"\\x00"')):
            self.assert_error(self.get(f"{LIST}?limit={value}"), 400, refusal.format(quoted, "invalid syntax"))
        for value in (str(2**63), "-9223372036854775809"):
            self.assert_error(
                self.get(f"{LIST}?limit={value}"), 400, refusal.format(f'"{value}"', "value out of range")
            )
        self.assert_error(self.get(f"{LIST}?limit=-1"), 400, "limit value should not be less than zero")
        for query in ("", "?Limit=2", "?limit=1;page=x", "?limit=%ZZ"):
            self.assert_error(self.get(LIST + query), 400, "must provide limit query parameter")

    def test_good_limits(self) -> None:
        """Any positive limit is accepted, except the highest number."""
        for value, count in (("002", 2), ("%2B2", 2), ("1&limit=2", 1), ("2147483647", 10), (str(2**63 - 2), 10)):
            document = json.loads(self.get(f"{LIST}?limit={value}").body)
            self.assertEqual(len(document["Vulnerabilities"]), count, value)
        message = "database: an error occured when querying the backend"
        self.assert_error(self.get(f"{LIST}?limit={2**63 - 1}"), 500, message)

    def test_unknown_namespace(self) -> None:
        """Parameters are checked first, then the namespace, whose case matters."""
        for namespace in ("nope:1", "Lab:paging", "lab:paging%20"):
            target = f"/v1/namespaces/{namespace}/vulnerabilities"
            self.assertEqual(self.get(f"{target}?limit=1").body, NOT_FOUND)
            self.assertEqual(self.get(f"{target}?limit=1").status, 404)
            self.assertEqual(self.get(target).status, 400)
        empty = self.get("/v1/namespaces//vulnerabilities?limit=1")
        self.assert_error(empty, 400, "namespace should not be empty")


class TokenTests(DoubleCase):
    """Page tokens."""

    def token(self) -> str:
        """Return a token."""
        token = self.page(4)[1]
        assert token is not None
        return token

    def assert_refused(self, token: str) -> None:
        """Check that a token is refused."""
        answer = self.get(f"{LIST}?limit=1&page={token}")
        self.assert_error(answer, 400, "invalid page format: invalid or expired pagination token")

    def test_shape(self) -> None:
        """A token is a Fernet token of a hundred characters, different each time, and can be used repeatedly."""
        token = self.token()
        self.assertEqual((len(token), token[-2:]), (100, "=="))
        self.assertNotEqual(token, self.token())
        self.assertEqual(self.page(1, token)[0], self.page(1, token.replace("=", "%3D"))[0])
        self.double.load("lab:later", [{"Name": "V-z"}])
        answer = self.get(f"/v1/namespaces/lab:later/vulnerabilities?limit=1&page={token}")
        self.assertIn(b"V-z", answer.body)

    def test_life(self) -> None:
        """A token is valid for one hour."""
        token = self.token()
        self.clock.advance(3590)
        self.page(1, token)
        self.clock.advance(15)
        self.assert_refused(token)

    def test_restart(self) -> None:
        """A restart invalidates every token."""
        token = self.token()
        self.double.restart()
        self.assert_refused(token)
        self.page(1, self.token())

    def test_not_tokens(self) -> None:
        """Any other text is refused; so is an empty one."""
        token = self.token()
        altered = token[:60] + ("A" if token[60] != "A" else "B") + token[61:]
        for other in ("", "garbage", "1000", token[:-2], token[:-6], altered, "%C3%A9"):
            self.assert_refused(other)
        self.assert_refused(Fernet(Fernet.generate_key()).encrypt_at_time(b"1\n", 1_700_000_000).decode())

    def test_stump(self) -> None:
        """A token that is cut very short makes Clair close the connection, if its time is current."""
        token = self.token()
        self.assertEqual(self.get(f"{LIST}?limit=1&page={token[:20]}"), HttpClient(None, {}, b"", True))
        self.connection = Connection(self.double.resource())
        self.clock.advance(7200)
        self.assert_refused(token[:20])
