"""The three daemons as twistd plugins, named by strings, so that ``twistd --help`` does not import them."""

from patches.service.lifecycle.signals import block_signals_of

# The first code of this project that twistd runs: modules are imported, and services created, long after it.
block_signals_of(("patches-server", "patches-scanner", "patches-reporter"))

from typing import Any  # noqa: E402

from twisted.application.service import ServiceMaker  # noqa: E402

from patches.service.lifecycle.missing_parts import import_part  # noqa: E402


class PartMaker(ServiceMaker):
    """A plugin whose part may not be installed: then it is listed, and ends with one line when it is used."""

    def __init__(self, name: str, module: str, description: str, tapname: str, extra: str) -> None:
        super().__init__(name, module, description, tapname)
        self._extra = extra

    @property
    def options(self) -> Any:
        """The class of the options."""
        return self._imported().Options

    @property
    def makeService(self) -> Any:
        """The function that creates the service."""
        return self._imported().makeService

    def _imported(self) -> Any:
        return import_part(self.module, f"twistd {self.tapname}", self._extra)


patches_server = PartMaker(
    "Patches server",
    "patches.server.service",
    "Serves lists of vulnerabilities to the scanners of a fleet.",
    "patches-server",
    "server",
)

patches_scanner = ServiceMaker(
    "Patches scanner",
    "patches.scanner.service",
    "Compares the vulnerabilities of this host's platform with the installed packages, and reports.",
    "patches-scanner",
)

patches_reporter = PartMaker(
    "Patches reporter",
    "patches.reporter.service",
    "Accepts and stores the reports of scanners, and lists their findings.",
    "patches-reporter",
    "reporter",
)
