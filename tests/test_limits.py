"""Every limit of what is accepted, kept, sent and tried, repeated here: a change of one changes a contract."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import patches

ROOT = Path(patches.__file__).parent
DOCS = ROOT.parent / "docs"
NAME = re.compile(r"(^|_)(MAX|MOST|LONGEST|LARGEST|GREATEST|DEEPEST)(_|$)")

LIMITS = {
    "http.bounded_channel.MOST_FIELDS": 40,
    "http.bounded_channel.MOST_HEAD_BYTES": 4_096,
    "http.bounded_channel.MOST_TARGET_BYTES": 4_000,
    "http.bounded_channel.MOST_TRAILER_BYTES": 1_024,
    "http.bounded_request.MOST_PARAMETERS": 32,
    "http.bounded_request.MOST_SEGMENTS": 32,
    "http.bounded_site.MOST_CLOSING": 256,
    "http.bounded_site.MOST_CLOSING_TLS": 32,
    "http.bounded_site.MOST_HALF_READ": 1_024,
    "http.connection_pool.MAX_HEAD_BYTES": 32_768,
    "http.client_hello.LONGEST_HELLO": 8_192,
    "http.connection_pool.MAX_LINE_BYTES": 16_384,
    "http.connection_pool.MAX_FIELDS": 200,
    "http.connection_pool.MAX_INFORMATIONAL": 8,
    "escaping._LONGEST": 120,
    "enrichment.facts._LONGEST_NAME": 64,
    "followed.MOST_NAMES": 2_000,
    "followed.MOST_CHARACTERS": 40_000,
    "reporter.api.MOST_HOSTS": 1_000,
    "reporter.service.MOST_CONNECTIONS": 4_096,
    "reporter.api.MOST_ANSWERS": 32,
    "reporter.json_stream.LONGEST_ITEM": 262_144,
    "reporter.json_stream.LONGEST_MEMBER": 4_194_304,
    "reporter.json_stream.MOST_ITEMS": 500_000,
    "reporter.json_stream.MOST_MEMBERS": 64,
    "reporter.spool.MOST_ADDRESSES": 16_384,
    "reporter.spool.MOST_BODIES": 256,
    "reporter.spool.MOST_SPOOLED_BYTES": 536_870_912,
    "reporter.unverified.MOST_FINDINGS": 50_000,
    "reporter.fields._LONGEST_TEXT": 1_024,
    "reporter.fields._GREATEST_NUMBER": 9_007_199_254_740_992,
    "scanner.client.cache._MOST_DESCRIPTION": 65_536,
    "scanner.client.http_client.MAX_RETRY_AFTER_SECONDS": 3_600.0,
    "scanner.client.bounds.GREATEST_COUNT": 9_007_199_254_740_992,
    "scanner.client.bounds.MOST_RECORDS": 4_000_000,
    "scanner.client.bounds.MOST_CHUNKS": 65_536,
    "scanner.client.bounds.MOST_BYTES": 2_147_483_648,
    "scanner.list_origin.MOST_PROBE_BYTES": 1_048_576,
    "scanner.doctor.doctor_command.LONGEST_CHECKS": 20.0,
    "scanner.client.http_client._MOST_IDLE": 2,
    "scanner.client.patience._LONGEST_SECONDS": 30.0,
    "scanner.client.patience.LONGEST_ASKED": 60.0,
    "scanner.client.stream._MOST_RESUMES": 8,
    "scanner.client.trust._GREATEST_SERIAL": 253_402_300_799,
    "scanner.client.trust._MOST_BYTES": 4_096,
    "scanner.host.network._MOST_BYTES": 65_536,
    "scanner.host.os_release._MOST_BYTES": 65_536,
    "scanner.host.tracks._MOST_BYTES": 1_048_576,
    "scanner.host.tracks._MOST_FILES": 500,
    "scanner.inventory.MOST_PACKAGES": 200_000,
    "scanner.inventory._LONGEST_PROBLEM": 300,
    "scanner.inventory.apk.LONGEST_LINE": 1_048_576,
    "scanner.inventory.apt_list_files.LONGEST_LINE": 65_536,
    "scanner.inventory.apt_list_files.MOST_BYTES": 1_073_741_824,
    "scanner.inventory.apt_list_files._MOST_XZ_MEMORY": 134_217_728,
    "scanner.inventory.apt_lists._MOST_RELEASE_BYTES": 65_536,
    "scanner.inventory.apt_lists._MOST_PACKAGES": 500_000,
    "scanner.inventory.bounded_sqlite._LARGEST_COPY": 4_294_967_296,
    "scanner.inventory.dpkg_stanzas.LONGEST_LINE": 1_048_576,
    "scanner.inventory.dpkg_stanzas.MOST_FIELDS": 1_000,
    "scanner.inventory.dpkg_stanzas._LONGEST_VALUE": 4_096,
    "scanner.inventory.dpkg_updates.LONGEST_NAME": 10,
    "scanner.inventory.dpkg_updates.MOST_UPDATES": 10_000,
    "scanner.inventory.rootfs._MOST_LINKS": 40,
    "scanner.inventory.rpm.LARGEST_HEADER": 67_108_864,
    "scanner.inventory.rpm_header._MOST_ENTRIES": 65_535,
    "scanner.inventory.rpm_header._MOST_BYTES": 268_435_456,
    "scanner.inventory.rpm_repositories._MOST_TOML_BYTES": 4_194_304,
    "scanner.memory_wall.MOST_DATA_BYTES": 536_870_912,
    "scanner.host_scan.MOST_SCANS": 3,
    "scanner.scan.MOST_SKEW": 600.0,
    "scanner.matching.ignore_files._MOST_BYTES": 67_108_864,
    "scanner.matching.ignore_files._MOST_TOML_BYTES": 4_194_304,
    "scanner.matching.vex.csaf_products.MOST_GROUPED": 1_000_000,
    "scanner.matching.vex.csaf_products.MOST_PARTS": 32,
    "scanner.matching.vex.statements.LONGEST_REASON": 500,
    "scanner.matching.vex.statements.MOST_PAIRS": 100_000,
    "scanner.matching.matcher.MOST_UNJUDGED_RECORDS": 10_000,
    "shared_values.MOST_CHARACTERS": 1000,
    "shared_values.MOST_SHARED": 10_000,
    "scanner.matching.matcher.MOST_REASONS": 100,
    "scanner.output.interchange.gitlab._LONGEST_NAME": 255,
    "scanner.output.interchange.gitlab._LONGEST_SOLUTION": 7_000,
    "scanner.output.tables.template.LARGEST_TEMPLATE": 1_048_576,
    "scanner.output.sarif.MOST_RESULTS": 25_000,
    "scanner.output.sarif.MOST_RUNS": 20,
    "scanner.output.sarif._LONGEST_TEXT": 1_000,
    "scanner.reporting.delivery.MOST_IN_MEMORY": 1_048_576,
    "scanner.reporting.delivery.MAX_REPORTER_ANSWER": 65_536,
    "scanner.reporting.delivery._LONGEST_PAUSE_SECONDS": 600.0,
    "scanner.reporting.outbox.MOST_PENDING": 100,
    "scanner.simulation.simulate_command.MOST_SCANNERS": 20_000,
    "scanner.simulation.simulated_scanner._MAX_HEAD_BYTES": 16_384,
    "service.backoff.LONGEST_PAUSE_SECONDS": 900.0,
    "service.name_resolver.MOST_LOOKUPS": 8,
    "service.memory_governor.LONGEST_CLOSED_SECONDS": 30.0,
    "service.garbage.MOST_GROWTH": 12_582_912,
    "service.garbage.MOST_SKIPPED": 180,
    "server.catalogue.bundle.manifest.MOST_MANIFEST_BYTES": 16_777_216,
    "server.catalogue.bundle.reader._MOST_SIGNATURE_BYTES": 1_024,
    "server.catalogue.chunks.MAX_ENCODED_BYTES": 65_536,
    "server.catalogue.chunks.MOST_ALIASES": 100,
    "server.catalogue.deltas._MOST_PART": 0.5,
    "server.catalogue.deltas._MOST_BYTES": 1_048_576,
    "server.catalogue.pruning.MOST_REPLACED": 8,
    "server.catalogue.record_ids.LONGEST_ID": 120,
    "server.first_scanner.service.MOST_READS": 2,
    "server.first_scanner.slice_sessions.LONGEST_SEQUENCE": 64,
    "server.first_scanner.slice_sessions.MOST_REMEMBERED": 1_024,
    "server.first_scanner.slices.MOST_RECORDS": 50,
    "server.first_scanner.slices.MOST_SLICE_BYTES": 1_048_576,
    "server.http.api.MAX_WAIT_SECONDS": 25.0,
    "server.http.vulnerabilities.MOST_CHARACTERS": 1_000,
    "server.http.vulnerabilities.MOST_INTERVALS": 100,
    "server.refresh.source_state._LONGEST_PROBLEM": 500,
    "server.refresh.requests_table.MOST_WANTED": 128,
    "server.refresh.requests_table.MOST_ABSENT": 256,
    "server.sessions.chunk_response.MAX_HEAD_BYTES": 1_024,
    "server.sessions.admission.LONGEST_RETRY": 600,
    "server.sessions.windows.MOST_WINDOWS": 8,
    "server.sessions.chunk_response.MAX_RESPONSE_BYTES": 66_560,
    "server.sessions.tokens.MAX_TOKEN_LENGTH": 512,
    "signing._MOST_BYTES": 65_536,
    "server.budget.MOST_WORKER_BYTES": 146_800_640,
    "sources.archive.json_stream.LARGEST_RECORD": 33_554_432,
    "sources.archive.json_stream.LONGEST_STRING": 1_048_576,
    "sources.csaf.fetch._LONGEST_LINE": 1_024,
    "sources.csaf.index.MOST_DOCUMENTS": 250_000,
    "sources.epss.lists._LONGEST_LINE": 1_024,
    "sources.nvd.lists._MOST_META_BYTES": 4_096,
    "sources.ndjson.lists.LONGEST_LINE": 4_194_304,
    "sources.titles.LONGEST_TITLE": 120,
    "sources.titles._MOST_READ": 1_000,
    "sources.worker.ceilings.MOST_FILES": 64,
    "sources.worker.ceilings.MOST_FILE_BYTES": 4_294_967_296,
    "sources.worker.process._LONGEST_TRACE": 4_096,
    "sources.worker.reply.LONGEST_MESSAGE": 500,
    "sources.worker.reply.LONGEST_REPLY": 8_192,
    "sources.worker.staged_file.LONGEST_REASON": 300,
    "sources.worker.staged_file.MOST_REASONS": 200,
    "sources.worker.staged_file.MOST_RECORD_BYTES": 2_097_152,
    "sources.archive.xml._LARGEST": 8_388_608,
    "sources.archive.xml._DEEPEST": 64,
    "sources.archive.zip._LONGEST_COMMENT": 65_535,
    "sources.archive.zip._MAX_16": 65_535,
    "sources.archive.zip._MAX_32": 4_294_967_295,
    "sources.clair.parser.MAX_VALUES": 100_000,
    "sources.clair.api.MAX_LIST_BYTES": 4_194_304,
    "sources.clair.api.MAX_DETAILS_BYTES": 1_048_576,
    "sources.clair.walk.MAX_PAGES": 10_000,
    "sources.clair.walk.MAX_EMPTY_PAGES": 3,
    "sources.clair.skipped_entries.MAX_LEFT_OUT": 1_000,
    "sources.clair_export.parser._LONGEST": 4_194_304,
    "sources.csaf.fetch.MOST_CHANGES": 20_000,
    "sources.csaf.products._DEEPEST": 4,
    "settings.LARGEST_FILE": 1_048_576,
    "http.access.routed_agent._MOST_ENDPOINTS": 64,
    "sources.fetch.request._MOST_REFUSAL": 16_384,
    "sources.fetch.checks.published._LONGEST": 262_144,
    "sources.clair.walk.MOST_RESTARTS": 5,
    "server.http.representations.MOST_LEFT_OUT": 100,
    "server.refresh.poller._MOST_NAMED": 20,
    "sources.clair.walk.MOST_NAMES": 100_000,
    "sources.clair.ledger.MOST_FOLLOWED": 25_000,
    "sources.debian_tracker.parser.MOST_MALFORMED": 10_000,
    "http.access.certificates._MOST_HOSTS": 64,
    "http.access.tunnels._MAX_HEAD": 65_536,
    "sources.ids._LONGEST": 120,
    "sources.parse_context._LONGEST": 120,
    "sources.updateinfo.extras.MOST_TOPICS": 500,
    "versions.dpkg._GREATEST_EPOCH": 2_147_483_647,
    "wire.MAX_CHUNK_BYTES": 1_048_576,
}

#: What the documentation says of them, with the numbers as it writes them.
DOCUMENTED = {
    "reference/formats.rst": (
        ("a run with more than {:,} results", "scanner.output.sarif.MOST_RESULTS", 1),
        ("a file with more than {} runs", "scanner.output.sarif.MOST_RUNS", 1),
        ("of at most {:,} characters each", "scanner.output.sarif._LONGEST_TEXT", 1),
    ),
    "reference/reporter-api.rst": (
        ("at most {:,} in one response", "reporter.api.MOST_HOSTS", 1),
        ("of a host, {:,} at most", "reporter.unverified.MOST_FINDINGS", 1),
        ("pauses that double from 5 s up to {:.0f} minutes", "scanner.reporting.delivery._LONGEST_PAUSE_SECONDS", 60),
    ),
    "reference/wire-format.rst": (
        ("never more than {:.0f} MiB", "wire.MAX_CHUNK_BYTES", 1 << 20),
        ("at most {:.0f} KiB of gzip", "server.catalogue.chunks.MAX_ENCODED_BYTES", 1 << 10),
    ),
    "explanation/verdicts.rst": (
        ("more than {:.0f} minutes", "scanner.scan.MOST_SKEW", 60),
        ("after {} scans it is incomplete", "scanner.host_scan.MOST_SCANS", 1),
    ),
    "reference/http-api.rst": (
        ("more than {:.0f} KiB or 40 fields", "http.bounded_channel.MOST_HEAD_BYTES", 1 << 10),
        ("more than 4 KiB or {:.0f} fields", "http.bounded_channel.MOST_FIELDS", 1),
        ("more than {:.0f} parameters", "http.bounded_request.MOST_PARAMETERS", 1),
        ("longer than {:,} bytes", "http.bounded_channel.MOST_TARGET_BYTES", 1),
        ("{:.0f} s at most, and never more", "server.http.api.MAX_WAIT_SECONDS", 1),
        ("{:.0f} records at most", "server.first_scanner.slices.MOST_RECORDS", 1),
        ("{:.0f} characters at most", "server.first_scanner.slice_sessions.LONGEST_SEQUENCE", 1),
    ),
    "reference/bundles.rst": (("{:.0f} MiB at most", "server.catalogue.bundle.manifest.MOST_MANIFEST_BYTES", 1 << 20),),
    "reference/sources.rst": (
        ("At most {:.0f} platforms may be requested", "server.refresh.requests_table.MOST_WANTED", 1),
    ),
    "reference/clair.rst": (
        ("more than {:,} are skipped", "sources.clair.skipped_entries.MAX_LEFT_OUT", 1),
        ("more than {:,} entries", "sources.clair.ledger.MOST_FOLLOWED", 1),
    ),
    "explanation/memory.rst": (
        ("for {:.0f} at once", "http.bounded_site.MOST_CLOSING_TLS", 1),
        ("at most {:,} requests may be half read", "http.bounded_site.MOST_HALF_READ", 1),
        ("in use for {:.0f} s", "service.memory_governor.LONGEST_CLOSED_SECONDS", 1),
        ("- {:.0f};", "server.refresh.requests_table.MOST_WANTED", 1),
        ("{:.0f} KiB, 200 fields", "http.connection_pool.MAX_HEAD_BYTES", 1 << 10),
        ("{:.0f} KiB for a line", "http.connection_pool.MAX_LINE_BYTES", 1 << 10),
        ("{:.0f} fields", "http.connection_pool.MAX_FIELDS", 1),
        ("{:.0f} informational responses", "http.connection_pool.MAX_INFORMATIONAL", 1),
        ("{:,} records", "scanner.client.bounds.MOST_RECORDS", 1),
        ("{:,} chunks", "scanner.client.bounds.MOST_CHUNKS", 1),
        ("and {:.0f} GiB before compression", "scanner.client.bounds.MOST_BYTES", 1 << 30),
        ("at most {:.0f} s", "scanner.client.patience.LONGEST_ASKED", 1),
        ("more than {:.0f} MiB", "scanner.memory_wall.MOST_DATA_BYTES", 1 << 20),
        ("; {:.0f} more that turned out to be absent", "server.refresh.requests_table.MOST_ABSENT", 1),
        ("at most {:.0f} reports", "scanner.reporting.outbox.MOST_PENDING", 1),
    ),
    "howto/tls-proxy.rst": (("A chunk is {:.0f} KiB of gzip", "server.catalogue.chunks.MAX_ENCODED_BYTES", 1 << 10),),
    "howto/ignore.rst": (
        ("may have {:.0f} MiB", "scanner.matching.ignore_files._MOST_BYTES", 1 << 20),
        ("our own format: {:.0f} MiB", "scanner.matching.ignore_files._MOST_TOML_BYTES", 1 << 20),
        ("{:,} pairs of a vulnerability and a product", "scanner.matching.vex.statements.MOST_PAIRS", 1),
    ),
    "howto/own-lists.rst": (("more than {:.0f} KiB after", "server.catalogue.chunks.MAX_ENCODED_BYTES", 1 << 10),),
}


def value(name: str) -> float | None:
    """Return the value of a constant, by its path below the package; ``None`` if it is not a number."""
    module, _, constant = f"patches.{name}".rpartition(".")
    found = getattr(import_module(module), constant)
    return found if isinstance(found, int | float) else None


def constants() -> Iterator[str]:
    """Yield the constants of all modules whose names are those of limits, by their paths below the package."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] == "testing":
            continue
        module = ".".join(part for part in parts if part != "__init__")
        for node in ast.parse(path.read_text("utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            for target in (each for found in targets for each in getattr(found, "elts", [found])):
                if isinstance(target, ast.Name) and NAME.search(target.id):
                    yield f"{module}.{target.id}"


class LimitTests(SynchronousTestCase):
    """The limits, as this file and the documentation repeat them."""

    def test_values(self) -> None:
        """Each limit has the value of the table."""
        self.assertEqual({name: value(name) for name in LIMITS}, LIMITS)

    def test_complete(self) -> None:
        """Each number that is named as a limit is in the table."""
        self.assertEqual({name for name in constants() if value(name) is not None} - LIMITS.keys(), set())

    def test_documented(self) -> None:
        """The documentation says the same numbers."""
        for page, sayings in DOCUMENTED.items():
            text = " ".join((DOCS / page).read_text("utf-8").split())
            for template, name, unit in sayings:
                number = value(name)
                assert number is not None
                self.assertIn(template.format(number // unit), text, page)
