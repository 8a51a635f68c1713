"""The three daemons as twistd plugins, named by strings, so that ``twistd --help`` does not import them."""

from patches.service.lifecycle.signals import block_signals_of

# The first code of this project that twistd runs: modules are imported, and services created, long after it.
block_signals_of(("patches-server", "patches-scanner", "patches-reporter"))

from twisted.application.service import ServiceMaker  # noqa: E402

patches_server = ServiceMaker(
    "Patches server",
    "patches.server.service",
    "Serves lists of vulnerabilities to the scanners of a fleet.",
    "patches-server",
)

patches_scanner = ServiceMaker(
    "Patches scanner",
    "patches.scanner.service",
    "Compares the vulnerabilities of this host's platform with the installed packages, and reports.",
    "patches-scanner",
)

patches_reporter = ServiceMaker(
    "Patches reporter",
    "patches.reporter.service",
    "Accepts and stores the reports of scanners, and lists their findings.",
    "patches-reporter",
)
