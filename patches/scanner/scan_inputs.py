"""The inputs of a scan, created from settings: the target, the client, the cache, the trusted key, the policy."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import define, evolve, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.http.access.certificates import TrustPolicy, trust_file
from patches.http.access.proxies import Proxies
from patches.http.access.routed_agent import Routes
from patches.scanner.client.cache import ListCache
from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.client.trust import SeenLists, Trust
from patches.scanner.host.os_release import detect_platform, system_of
from patches.scanner.matching.coverage import Origins
from patches.scanner.matching.ignore_files import BadIgnores, read_ignores
from patches.scanner.matching.ignores import Ignores
from patches.scanner.matching.watched_ignores import FileState, WatchedIgnores
from patches.scanner.options import DEFAULT_SERVER, AccessSettings, HostSettings, PolicySettings
from patches.scanner.outcome import Target
from patches.scanner.scan import Policy
from patches.service.log.trouble_log import TroubleLog
from patches.settings import BadSetting
from patches.signing import BadKey, VerifyKey

log = Logger()


def target_of(settings: HostSettings) -> Target:
    """
    Return the target of the scan.

    :raises UnknownPlatform: if the platform is not given and cannot be detected.
    """
    root = settings.root
    # the running kernel is this host's: that of a mounted image is not known
    return Target(
        host_of(settings),
        settings.platform or detect_platform(root),
        root,
        running=os.uname().release if root.resolve() == Path("/") else None,
        tracks=settings.track,
        system=system_of(root),
        origins=Origins(settings.own_origins or (), settings.foreign_origins or ()),
    )


@define(eq=False)
class ReloadedInputs:
    """
    The inputs of scans that come from files, which the daemon can read again.

    :param access: the settings with which the daemon was started.
    :param watched: the file of decisions.
    :ivar client: has the trusted key.
    :ivar policy: has the decisions about findings.
    """

    _access: AccessSettings
    client: PatchesClient
    policy: Policy
    _watched: WatchedIgnores = field(factory=lambda: WatchedIgnores(None))

    def reload(self, access: AccessSettings, policy: PolicySettings) -> bool:
        """
        Read the trusted key and the decisions again. Return whether the decisions have changed.

        Whether lists must be signed stays: a key is replaced by another one only.

        :raises BadSetting: if one of the files cannot be used; then both stay as they were.
        """
        watched = WatchedIgnores(policy.ignore)
        trust, ignores = trust_of(evolve(self._access, verify_key=access.verify_key)), policy_of(policy).ignores
        if trust is not None and self.client.trust is not None:
            self.client.trust = trust
        elif trust is not self.client.trust:
            log.error("Whether lists must be signed (--verify-key) changes at the next start only")
        self._watched.end_trouble()
        self._watched = watched
        return self._use(ignores)

    def read_changed(self) -> bool:
        """Read the file of decisions again if it has changed. Return whether the decisions have changed."""
        ignores = self._watched.read_changed()
        return ignores is not None and self._use(ignores)

    def ignore_state(self) -> FileState:
        """Return the present state of the file of decisions."""
        return self._watched.state()

    def _use(self, ignores: Ignores) -> bool:
        has_changed = ignores != self.policy.ignores
        self.policy = evolve(self.policy, ignores=ignores)
        return has_changed


def host_of(settings: HostSettings) -> str:
    """Return the name under which the host is reported."""
    return settings.name or socket.gethostname()


def cache_of(path: Path | None, target: Target, trouble: TroubleLog | None = None) -> ListCache | None:
    """
    Return the cache of the target's list in a folder; ``None`` if lists are not cached.

    :param trouble: logs that lists cannot be cached.
    """
    return ListCache(path, target.platform, trouble) if path is not None else None


def _untold(reason: str) -> None:
    """Do nothing: the log says it."""


def client_of(
    settings: AccessSettings,
    http: Any,
    trust: Trust | None,
    clock: IReactorTime,
    tell: Callable[[str], object] | None = None,
) -> PatchesClient:
    """
    Return the client of the server.

    :param http: a treq client.
    :param trust: see :func:`trust_of`.
    :param tell: called with the reason why the client waits; ``None`` for a daemon, which does not wait long for a
        server that does not answer, as it has a schedule.
    """
    limits = ClientSettings(patience=settings.patience)
    if tell is not None:
        limits = ClientSettings(contact=settings.patience, patience=settings.patience)
    return PatchesClient(
        http, settings.patches_server or DEFAULT_SERVER, clock, limits, trust=trust, tell=tell or _untold
    )


def routes_of(settings: AccessSettings, environment: Mapping[str, str] = os.environ) -> Routes:
    """
    Return the ways to the server and to the reporter API: by which proxies, and which authorities are trusted.

    :param environment: names proxies where no option does.
    :raises BadSetting: if a proxy or the file of authorities cannot be used.
    """
    proxy = settings.proxy
    proxies = Proxies.always(proxy) if proxy is not None else Proxies.from_environment(environment)
    policy = TrustPolicy() if settings.ca is None else trust_file(settings.ca, "--ca")
    return Routes(proxies, policy)


def environment_of(settings: AccessSettings, environment: Mapping[str, str] = os.environ) -> Mapping[str, str]:
    """Return the environment of downloads without a server: a proxy that was named is used for these, too."""
    if settings.proxy is None:
        return environment
    names = ("http_proxy", "https_proxy")
    rest = {name: text for name, text in environment.items() if name.lower() not in (*names, "no_proxy")}
    return {**rest, **dict.fromkeys(names, settings.proxy.text)}


def trust_of(settings: AccessSettings) -> Trust | None:
    """
    Return the key that must have signed the lists; ``None`` if lists need no signature.

    :raises BadSetting: if the key cannot be read.
    """
    if settings.verify_key is None:
        return None
    try:
        return Trust(VerifyKey.from_file(settings.verify_key), SeenLists(settings.state_dir / "seen"))
    except BadKey as error:
        raise BadSetting(f"--verify-key {error}") from error


def policy_of(settings: PolicySettings) -> Policy:
    """
    Return the user's policy about old lists and findings.

    :raises BadSetting: if the file of decisions is invalid.
    """
    try:
        ignores = read_ignores(settings.ignore) if settings.ignore is not None else Ignores()
    except BadIgnores as error:
        raise BadSetting(f"--ignore {error}") from error
    return Policy(settings.max_age, ignores, settings.include_unfixed, settings.include_old_kernels)
