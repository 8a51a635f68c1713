"""Tests for :mod:`patches.scanner.scan_inputs`."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path

from twisted.internet.defer import ensureDeferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.verified_stream import StreamError
from patches.scanner.host.distributions import UnknownPlatform
from patches.scanner.matching.coverage import Origins
from patches.scanner.matching.watched_ignores import WatchedIgnores
from patches.scanner.options import AccessSettings, HostSettings, PolicySettings
from patches.scanner.scan_inputs import ReloadedInputs, cache_of, client_of, policy_of, target_of, trust_of
from patches.settings import BadSetting
from patches.signing import create_keys
from tests.integration.sample_host import write_host
from tests.scanner.scripted_client import CannedHTTP, session


class InputTests(SynchronousTestCase):
    """From settings to the inputs of a scan."""

    def test_policy(self) -> None:
        """The age and what is shown come from the settings; without a file nothing is ignored."""
        policy = policy_of(PolicySettings(max_age=timedelta(days=2), include_unfixed=True))
        self.assertEqual((policy.max_age, policy.with_unfixed), (timedelta(days=2), True))
        self.assertEqual(policy.ignores.decisions, ())
        default = policy_of(PolicySettings())
        self.assertEqual((default.max_age, default.with_unfixed), (timedelta(days=7), False))
        path = Path(self.mktemp())
        with self.assertRaisesRegex(BadSetting, f"^--ignore .*{path}"):
            policy_of(PolicySettings(ignore=path))

    def test_reloaded(self) -> None:
        """The decisions and the key are read again; if one cannot be, both stay; a key is only replaced by another."""
        key, ignore = create_keys(Path(self.mktemp())), Path(self.mktemp())
        ignore.write_text("")
        access, policy = AccessSettings(verify_key=key), PolicySettings(ignore=ignore)
        client = client_of(access, CannedHTTP(), trust_of(access), Clock())
        inputs = ReloadedInputs(access, client, policy_of(policy))
        self.assertFalse(inputs.reload(access, policy))
        ignore.write_text('[[ignore]]\npackage = "bash"\nreason = "kept"\nexpires = 2090-01-01\n')
        other, trust = create_keys(Path(self.mktemp())), client.trust
        self.assertRaises(BadSetting, inputs.reload, AccessSettings(verify_key=ignore), policy)
        self.assertEqual((inputs.policy.ignores.decisions, client.trust), ((), trust))
        self.assertTrue(
            inputs.reload(AccessSettings(verify_key=other, state_dir=ignore), PolicySettings(ignore=ignore))
        )
        self.assertEqual(len(inputs.policy.ignores.decisions), 1)
        assert client.trust is not None
        assert trust is not None
        self.assertIsNot(client.trust.key, trust.key)
        changed = client.trust
        inputs.reload(AccessSettings(), policy)
        self.assertIs(client.trust, changed)

    def test_changed_file(self) -> None:
        """A changed file of decisions is read again, also one that a reload has named."""
        first, second = Path(self.mktemp()), Path(self.mktemp())
        for path in (first, second):
            path.write_text("")
        access, policy = AccessSettings(), PolicySettings(ignore=first)
        client = client_of(access, CannedHTTP(), None, Clock())
        inputs = ReloadedInputs(access, client, policy_of(policy), WatchedIgnores(first))
        entry = '[[ignore]]\npackage = "bash"\nreason = "kept"\nexpires = 2090-01-01\n'
        first.write_text(entry)
        self.assertEqual((inputs.read_changed(), inputs.read_changed()), (True, False))
        self.assertFalse(inputs.reload(access, policy))
        self.assertTrue(inputs.reload(access, PolicySettings(ignore=second)))
        first.write_text("")
        self.assertFalse(inputs.read_changed())
        before = inputs.ignore_state()
        second.write_text(entry)
        self.assertNotEqual(inputs.ignore_state(), before)
        self.assertTrue(inputs.read_changed())
        self.assertEqual(len(inputs.policy.ignores.decisions), 1)

    def test_target(self) -> None:
        """The platform is that of the settings, else the detected one; the running kernel is that of this host only."""
        root = write_host(Path(self.mktemp()), "debian", "12", {"bash": "5"})
        found = target_of(HostSettings(root=root))
        self.assertEqual((found.platform, found.host, found.running), ("debian-12", socket.gethostname(), None))
        given = target_of(HostSettings(root=root, platform="debian-13", name="web-1"))
        self.assertEqual((given.platform, given.host), ("debian-13", "web-1"))
        here = target_of(HostSettings(platform="debian-12"))
        self.assertEqual(here.running, os.uname().release)
        (root / "etc/os-release").unlink()
        self.assertRaises(UnknownPlatform, target_of, HostSettings(root=root))

    def test_tracks(self) -> None:
        """Tracks of the settings override the detected ones, also if there are none."""
        for tracks in (frozenset({"esm"}), frozenset(), None):
            self.assertEqual(target_of(HostSettings(platform="debian-12", track=tracks)).tracks, tracks)

    def test_origins(self) -> None:
        """Origins of the settings are those of the target."""
        settings = HostSettings(platform="debian-12", own_origins=("ACME*", "mirror"), foreign_origins=("tools",))
        self.assertEqual(target_of(settings).origins, Origins(("ACME*", "mirror"), ("tools",)))
        self.assertEqual(target_of(HostSettings(platform="debian-12")).origins, Origins())

    def test_trust(self) -> None:
        """With a key, lists must be signed; a file that is no key is refused."""
        self.assertIsNone(trust_of(AccessSettings()))
        path = Path(self.mktemp())
        with self.assertRaisesRegex(BadSetting, f"^--verify-key {path}: "):
            trust_of(AccessSettings(verify_key=path))
        self.assertIsNotNone(trust_of(AccessSettings(verify_key=create_keys(path))))

    def test_client(self) -> None:
        """The client asks the given server, for as long as the given patience."""
        refused = [ConnectionRefusedError() for _ in range(100)]
        http, clock = CannedHTTP(session(), *refused), Clock()
        settings = AccessSettings(patches_server="http://lists.test", patience=timedelta(seconds=3))
        client = client_of(settings, http, None, clock)

        async def read() -> None:
            async for _ in client.stream("debian-12"):
                self.fail("the server has no chunk")

        reading = ensureDeferred(read())
        clock.pump([0.5] * 40)
        self.failureResultOf(reading, StreamError)
        self.assertTrue(http.asked[0].url.startswith("http://lists.test/"), http.asked)

    def test_cache(self) -> None:
        """Lists are cached in the given folder, or not at all."""
        target = target_of(HostSettings(platform="debian-12"))
        self.assertIsNone(cache_of(None, target))
        self.assertIsNotNone(cache_of(Path(self.mktemp()), target))
