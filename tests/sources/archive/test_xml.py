"""Tests for :mod:`patches.sources.archive.xml`."""

from __future__ import annotations

import io
import tracemalloc
from xml.etree.ElementTree import Element, SubElement

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.archive.xml import children, name_of, text_in


def parse(content: bytes) -> list[str | None]:
    """Return the texts of the children of ``<updates>``."""
    return [element.text for element in children(io.BytesIO(content), "updates")]


class ChildrenTests(SynchronousTestCase):
    """Children of a root."""

    def test_each(self) -> None:
        """The children of the root are yielded in order and complete; what is deeper is in them."""
        content = b"<?xml version='1.0'?><!-- x --><updates><a>1</a> text <b><c/><c/></b><a>2</a></updates>"
        found = [(each.tag, each.text, len(each)) for each in children(io.BytesIO(content), "updates")]
        self.assertEqual(found, [("a", "1", 0), ("b", None, 2), ("a", "2", 0)])
        self.assertEqual(parse(b"<updates/>"), [])

    def test_namespace(self) -> None:
        """The namespace of the root does not matter, its name does."""
        self.assertEqual(parse(b'<x:updates xmlns:x="urn:x"><x:a>1</x:a></x:updates>'), ["1"])
        for content in (b"<html><updates/></html>", b"<update/>", b'<u xmlns="updates"/>'):
            with self.assertRaisesRegex(SourceError, "^its root is not <updates>$"):
                parse(content)

    def test_encodings(self) -> None:
        """The encoding is that of the document."""
        for encoding in ("utf-8", "utf-16", "iso-8859-1"):
            content = f'<?xml version="1.0" encoding="{encoding}"?><updates><a>\u00e9</a></updates>'.encode(encoding)
            self.assertEqual(parse(content), ["\u00e9"])

    def test_incomplete(self) -> None:
        """A document that ends early, at any byte, is refused; so is text after its end."""
        whole = b"<updates><a>1</a><a>2</a></updates>"
        for length in range(len(whole)):
            with self.assertRaisesRegex(SourceError, "^not XML: "):
                parse(whole[:length])
        with self.assertRaisesRegex(SourceError, "^not XML: "):
            parse(whole + b"<updates/>")

    def test_memory(self) -> None:
        """Children that were yielded are dropped: memory does not grow with the document."""

        def peak(count: int) -> int:
            content = io.BytesIO(b"<updates>" + (b"<a>" + b"<b>x</b>" * 200 + b"</a>") * count + b"</updates>")
            tracemalloc.start()
            try:
                self.assertEqual(sum(1 for _ in children(content, "updates")), count)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        few, many = peak(200), peak(2000)
        self.assertLess(many, 1.5 * few)


class ElementTests(SynchronousTestCase):
    """Names and texts of elements."""

    def test_name(self) -> None:
        """The name of an element is that without its namespace."""
        for tag, name in {"a": "a", "{urn:x}a": "a", "{}a": "a", "x:a": "x:a"}.items():
            self.assertEqual(name_of(Element(tag)), name)

    def test_text(self) -> None:
        """The text of a child is that of the first of its name, without spaces around it; a missing one is empty."""
        element = Element("a")
        for tag, text in (("{urn:x}b", " 1\n"), ("b", "2"), ("c", None)):
            SubElement(element, tag).text = text
        SubElement(element[0], "d").text = "deeper"
        self.assertEqual([text_in(element, name) for name in "bcd"], ["1", "", ""])


class HostileTests(SynchronousTestCase):
    """Documents that try to do harm."""

    def refuse(self, content: bytes, reason: str) -> None:
        """Parse a document that is refused."""
        with self.assertRaisesRegex(SourceError, reason):
            parse(content)

    def test_billion_laughs(self) -> None:
        """Entities that would expand to gigabytes are refused at their declaration."""
        laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
        declared = f'<!DOCTYPE updates [<!ENTITY l0 "ha">{laughs}]>'
        self.refuse(f"<?xml version='1.0'?>{declared}<updates>&l9;</updates>".encode(), "document type")

    def test_external_entities(self) -> None:
        """Neither a file nor another document is read."""
        for declared in (
            '<!DOCTYPE updates SYSTEM "http://192.0.2.1/evil.dtd">',
            '<!DOCTYPE updates [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE updates [<!ENTITY % e SYSTEM "file:///etc/passwd"> %e;]>',
            "<!DOCTYPE updates>",
        ):
            self.refuse(f"{declared}<updates>&e;</updates>".encode(), "document type")
            padded = f"<!--{' ' * 5000}-->{declared}<updates/>"
            self.refuse(padded.encode(), "document type")
            self.refuse(padded.encode("utf-16"), "document type")

    def test_late_declaration(self) -> None:
        """A document type within the root is not XML."""
        self.refuse(b'<updates><!DOCTYPE a [<!ENTITY e "x">]><update>&e;</update></updates>', "not XML")

    def test_undeclared_entity(self) -> None:
        """An undeclared entity is an error, not a gap."""
        self.refuse(b"<updates><update>&e;</update></updates>", "not XML")

    def test_long_prolog(self) -> None:
        """The root must begin within a limit."""
        self.refuse(b"<!--" + b" " * 100_000 + b"--><updates/>", "root does not begin")

    def test_long_element(self) -> None:
        """One update cannot fill the memory."""
        self.refuse(b"<updates><update>" + (b"<a>" + b"x" * 1000 + b"</a>") * 9_000, "longer than")
        self.refuse(b"<updates>" + b" " * 10_000_000, "longer than")

    def test_deep_element(self) -> None:
        """The depth of nesting is limited."""
        self.refuse(b"<updates>" + b"<a>" * 10_000, "nested")

    def test_refused_before_anything(self) -> None:
        """A document type is refused before the first child is yielded."""
        content = b"<!DOCTYPE updates><updates><a>1</a></updates>"
        with self.assertRaisesRegex(SourceError, "document type"):
            next(children(io.BytesIO(content), "updates"))
