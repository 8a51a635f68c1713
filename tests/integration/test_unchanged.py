"""A feed on a web server that a real patches-server reads repeatedly: an unchanged feed costs one request."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.integration.daemons import Daemon, wait_for
from tests.integration.loopback import URL_HOST
from tests.integration.web_servers import FileServer

CONFIG = """
refresh-interval = "1s"

[source.osv]
kind = "osv"
url = "http://{host}:{port}/Ubuntu/all.zip"
"""


def archive(fixed: str) -> bytes:
    """Return an archive of ten records."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        for number in range(10):
            package = {"ecosystem": "Ubuntu:22.04:LTS", "name": "sudo"}
            ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
            name = f"UBUNTU-CVE-2024-{number:04}"
            record = {"id": name, "upstream": [name[7:]], "affected": [{"package": package, "ranges": ranges}]}
            written.writestr(f"{name}.json", json.dumps(record))
    return file.getvalue()


def contents(folder: Path) -> dict[str, str]:
    """Return the content of the files of the catalogue and the feeds, without the log."""
    paths = [
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in (".sqlite", ".sqlite-wal", ".json", ".zip")
    ]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def platform(server: Daemon) -> dict[str, Any]:
    """Request the served list."""
    with urlopen(f"http://{URL_HOST}:{server.port}/v1/platforms") as answer:
        (found,) = json.load(answer)["platforms"] or [{"revision": None}]
    return dict(found)


def test_unchanged(tmp_path: Path) -> None:
    """Each refresh of an unchanged feed is one conditional request, and writes nothing; a change is read."""
    web = FileServer(archive("1.9-1"))
    threading.Thread(target=web.serve_forever, daemon=True).start()
    config = tmp_path / "server.toml"
    config.write_text(CONFIG.format(host=URL_HOST, port=web.port))
    server = Daemon("patches-server", tmp_path / "state", "--config", str(config)).start()
    try:
        wait_for(lambda: platform(server)["revision"], 30)
        first = platform(server)
        wait_for(lambda: len(web.asked) >= 2, 30)
        before, asked = contents(tmp_path / "state"), len(web.asked)
        wait_for(lambda: len(web.asked) >= asked + 4, 30)
        assert all("if-none-match" in each for each in web.asked[1:])
        assert contents(tmp_path / "state") == before
        assert platform(server)["revision"] == first["revision"]
        assert platform(server)["checked"] > first["checked"]
        web.body = archive("1.9-2")
        wait_for(lambda: platform(server)["revision"] != first["revision"], 30)
        assert platform(server)["vulnerabilities"] == 10 + 1  # the list of followed packages
    finally:
        server.stop()
        web.shutdown()
