"""Tests for :mod:`patches.http.authority`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.http.authority import is_authority, is_host_field

VALID = (
    *(b"h", b"server:8080", b"192.0.2.1", b"192.0.2.1:80", b"h:", b"h:0080", b"h:65535", b"a_b~c", b"a.b."),
    *(b"%41b", b"b%C3%BCcher:1", b"a,b", b"a!$&'()*+;=b"),
    *(b"[::1]", b"[::1]:", b"[::1]:80", b"[2001:DB8::192.0.2.1]", b"[v1.a:b]", b"[V1f.~]:1"),
)
INVALID = (
    *(b"h:99999x", b"h:65536", b"h:99999", b"h:" + b"9" * 5000, b"h:-1", b"h:+1", b"h: 1", b"h:1:2", b"h:\xb2"),
    *(b"a b", b"a\tb", b"a/b", b"a?b", b"a#b", b"a\\b", b'"a"', b"<a>", b"a|b", b"a^b", b"\xe9", b"\x7f"),
    *(b"user@h", b"user:password@h", b"@h", b"%", b"%4", b"%zz", b"a%2"),
    *(b"[::1", b"::1]", b"::1", b"[]", b"[::1]x", b"[::1]80", b"[1]", b"[::g]", b"[1::2::3]", b"[::1%25eth0]"),
    *(b"[fe80::1%eth0]", b"[192.0.2.1]", b"[v.a]", b"[v1.]", b"[v1]", b"[h]", b"a[::1]", b":80", b":"),
)


class AuthorityTests(SynchronousTestCase):
    """The grammar of RFC 9110 section 7.2 and RFC 3986 section 3.2.2."""

    def test_valid(self) -> None:
        """A name, an address of either version, or a future one, with a port or an empty one, is an authority."""
        for text in VALID:
            self.assertTrue(is_authority(text) and is_host_field(text), text)

    def test_invalid(self) -> None:
        """Everything else is none: other characters, users, ports that TCP does not have, halves of brackets."""
        for text in INVALID:
            self.assertFalse(is_authority(text) or is_host_field(text), text)

    def test_empty(self) -> None:
        """Only the field may be empty."""
        self.assertEqual((is_host_field(b""), is_authority(b"")), (True, False))
