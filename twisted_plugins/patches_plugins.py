"""The three daemons as twistd plugins; strings only, so that ``twistd --help`` imports none of them."""

from twisted.application.service import ServiceMaker

patches_server = ServiceMaker(
    "Patches server",
    "patches.server.service",
    "Serves lists of vulnerabilities to the scanners of a fleet.",
    "patches-server",
)

patches_scanner = ServiceMaker(
    "Patches scanner",
    "patches.scanner.service",
    "Compares the vulnerabilities of this host's platform with what is installed, and reports.",
    "patches-scanner",
)

patches_reporter = ServiceMaker(
    "Patches reporter",
    "patches.reporter.service",
    "Accepts the reports of scanners, keeps and shows them.",
    "patches-reporter",
)
