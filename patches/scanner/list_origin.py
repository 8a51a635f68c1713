"""
The origin of the list of a scan: a server; this process, where there is no server; or only what is kept.

Where no server is named, the one at the default address is asked. If nothing listens there, the list is read in this
process. Whatever else is there is no reason for that: a server that fails must not be replaced without a word.
"""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.error import ConnectionRefusedError

from patches.http.connection_errors import causes
from patches.scanner.client.cache import ListCache
from patches.scanner.client.client import PatchesClient
from patches.scanner.client.http_client import HttpClient, Unreachable
from patches.scanner.client.kept_lists import KeptLists
from patches.scanner.client.trust import Trust
from patches.scanner.client.verified_stream import VerifiedStream
from patches.scanner.options import DEFAULT_SERVER, AccessSettings, StandaloneSettings
from patches.scanner.output.screen import Screen
from patches.scanner.scan_inputs import client_of, environment_of
from patches.service.places.user_folders import NoHomeFolder, cache_folder
from patches.settings import BadSetting
from patches.wording import file_problem, printable

#: How long whatever listens at the default address may take to say what it is, in seconds.
PROBE_SECONDS = 5.0
#: The most bytes of its answer.
MOST_PROBE_BYTES = 1 << 20
#: The folder of the reader in the cache folder.
_READER = "standalone"

ListSource = PatchesClient | KeptLists


@define(eq=False)
class ListOrigin:
    """
    The origin of the list of one command.

    :param named: the folder of kept lists that was named; ``None``: the user's, where lists are read in this process.
    :param http: a treq client.
    :ivar folder: the folder of kept lists; ``None``: lists are not kept.
    :ivar problem: why lists cannot be kept; ``None``: they are.
    :ivar is_accepting: whether a list that is held back is accepted before it is read again.
    """

    _access: AccessSettings
    _standalone: StandaloneSettings
    _trust: Trust | None
    _http: Any
    _screen: Screen
    _reactor: Any
    folder: Path | None = None
    problem: str | None = None
    is_accepting: bool = False
    _ends: ExitStack = field(factory=ExitStack)

    def close(self) -> None:
        """Remove what was kept for this command only."""
        self._ends.close()

    async def find(self, platform: str) -> ListSource:
        """
        Return what the list of a platform is read from.

        :raises BadSetting: if an option cannot be used, or not with another one.
        """
        self._refuse_contradictions()
        chosen = self._standalone
        if chosen.offline:
            return self._kept(platform)
        if chosen.standalone or chosen.source is not None or chosen.list_file is not None:
            return await self._read(platform, "Without a server: ")
        if self._access.patches_server is None:
            problem = await probe(HttpClient(self._http, DEFAULT_SERVER, self._reactor, MOST_PROBE_BYTES))
            if problem is None:
                return await self._read(platform, f"No server at {DEFAULT_SERVER}: ")
            if problem:
                self.folder = None
                return KeptLists(self._reactor, problem)
        if self.is_accepting:
            raise BadSetting(f"--accept: {DEFAULT_SERVER} is a patches-server: its list is accepted there")
        return client_of(self._access, self._http, self._trust, self._reactor, self._tell)

    def stream(self, source: ListSource, platform: str) -> VerifiedStream:
        """Return one pass over the list of a platform."""
        if isinstance(source, PatchesClient):
            return source.stream(platform)
        cached = ListCache(self.folder, platform).cached() if self.folder is not None else None
        return source.stream(platform, cached)

    def _tell(self, reason: str) -> None:
        self._screen.note(f"Waiting for the server: {reason}.")

    def _refuse_contradictions(self) -> None:
        chosen, named = self._standalone, self._access.patches_server is not None
        origins = [
            name
            for name, is_given in (
                ("--offline", chosen.offline),
                ("--standalone", chosen.standalone),
                ("--source", chosen.source is not None),
                ("--list", chosen.list_file is not None),
            )
            if is_given
        ]
        if len(origins) > 1 and origins != ["--standalone", origins[1]]:
            raise BadSetting(f"{origins[0]} and {origins[1]} exclude each other")
        if origins and origins != ["--offline"] and named:
            raise BadSetting(f"{origins[-1]} and --patches-server exclude each other")
        if self.is_accepting and (named or chosen.offline):
            other = "--patches-server" if named else "--offline"
            raise BadSetting(f"--accept and {other} exclude each other: a server's list is accepted there")
        if origins and origins != ["--offline"] and self._trust is not None:
            raise BadSetting(f"{origins[-1]} and --verify-key exclude each other: nobody signs what is read here")

    def _kept(self, platform: str) -> KeptLists:
        try:
            folder = self.folder if self.folder is not None else cache_folder()
        except NoHomeFolder as error:
            return KeptLists(self._reactor, f"no list of {platform} is kept: {error}", self._trust)
        self.folder = folder
        if ListCache(folder, platform).cached() is None:
            return KeptLists(self._reactor, f"no list of {platform} is kept in {folder}", self._trust)
        return KeptLists(self._reactor, "nobody was asked (--offline)", self._trust)

    async def _read(self, platform: str, why: str) -> KeptLists:
        """
        Read the list in this process.

        :param why: the beginning of the line that says so.
        """
        from patches.standalone.list_reader import ListReader
        from patches.standalone.sources import sources_of

        settings = sources_of(platform, self._standalone.source, self._standalone.list_file)
        folder = self.folder = self._usable()
        reader = ListReader(self._reactor, folder / _READER, platform, settings, environment_of(self._access))
        cache, seconds = ListCache(folder, platform), self._access.timeout.total_seconds()
        asked = cache.asked = _name_of(self._standalone)
        with self._screen.refreshing(why) as line:
            pending = Deferred.fromCoroutine(reader.read(cache, line.show, self.is_accepting))
            try:
                read = await pending.addTimeout(seconds, self._reactor)
            except TimeoutError:
                late = f"the list of {platform} was not read within {seconds:g} s from {line.what}"
                return KeptLists(self._reactor, late, asked=asked)
        if read.problem is None:
            line.end()
        return KeptLists(self._reactor, read.problem, is_covered=read.is_covered, asked=asked)

    def _usable(self) -> Path:
        """Return a folder in which lists can be kept; if it cannot be used, one that is removed after this command."""
        try:
            folder = self.folder if self.folder is not None else cache_folder()
            (folder / _READER).mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder), tempfile.TemporaryFile(dir=folder / _READER):
                return folder
        except NoHomeFolder as error:
            self.problem = str(error)
        except OSError as error:
            self.problem = f"{folder}: {file_problem(error)}"
        self._screen.note(f"The list cannot be kept: {self.problem}")
        made = Path(self._ends.enter_context(tempfile.TemporaryDirectory(prefix="patches-")))
        (made / _READER).mkdir(mode=0o700)
        return made


def _name_of(chosen: StandaloneSettings) -> str:
    """Return a name of what is read without a server: a digest, as a URL may have a password."""
    source = {**(chosen.source or {}), "list": str(chosen.list_file.absolute()) if chosen.list_file is not None else ""}
    if "path" in source:
        source["path"] = str(Path(source["path"]).absolute())
    return f"standalone:{hashlib.sha256(repr(sorted(source.items())).encode()).hexdigest()[:32]}"


async def probe(client: HttpClient) -> str | None:
    """
    Ask whatever is at an address what it is.

    :return: empty: it is a patches-server; ``None``: nothing listens there; else what it is, in words.
    """
    try:
        answer = await client.ask("GET", "/v1/platforms", within=PROBE_SECONDS)
    except Unreachable as error:
        # a proxy that cannot be reached says nothing about the server
        refused = (
            client.proxy is None
            and error.__cause__ is not None
            and any(isinstance(cause, ConnectionRefusedError) for cause in causes(error.__cause__))
        )
        return None if refused else f"no patches-server is named, and at the default address {error}"
    document = answer.document()
    if answer.error_code is not None or (document is not None and isinstance(document.get("platforms"), list)):
        return ""
    name = answer.header("Server")
    told = f", as {printable(name[:60])}" if name else ""
    return f"{client.base_url} is no patches-server: it answered {answer.status}{told}; name one, or use --standalone"
