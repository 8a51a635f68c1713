"""The three daemons as twistd plugins, named by strings, so that ``twistd --help`` does not import them."""

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
    "Compares the vulnerabilities of this host's platform with the installed packages, and reports.",
    "patches-scanner",
)

patches_reporter = ServiceMaker(
    "Patches reporter",
    "patches.reporter.service",
    "Accepts and stores the reports of scanners, and lists their findings.",
    "patches-reporter",
)
