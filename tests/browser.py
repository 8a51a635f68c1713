"""
A look at pages of HTML with a browser: none scrolls sideways, none logs an error, none misses a picture or a file.

python -m tests.browser FOLDER [--width 1280]

The pages are served on loopback, and one page of ours loads them all, one after the other, in a frame of that width, in
Chromium without a screen. Exit codes: 0 all are well, 1 something was found, 2 there is no Chromium.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from html import unescape
from pathlib import Path
from typing import Any

#: The page that loads the others; it waits for fonts and scripts of each.
_HARNESS = """<!doctype html><meta charset="utf-8"><title>harness</title><body><pre id="result"></pre><script>
const pages = PAGES, found = [];
async function look(page) {
  const frame = document.createElement("iframe");
  frame.style.width = "WIDTHpx"; frame.style.height = "900px";
  const errors = [];
  await new Promise(done => { frame.onload = done; frame.src = page; document.body.append(frame); });
  await frame.contentWindow.document.fonts.ready;
  await new Promise(done => setTimeout(done, 30));
  const inside = frame.contentDocument, root = inside.documentElement;
  const over = root.scrollWidth - frame.contentWindow.innerWidth;
  if (over > 0) errors.push(`scrolls sideways by ${over} px`);
  for (const image of inside.images) {
    if (!image.complete || image.naturalWidth === 0) errors.push(`no picture: ${image.src}`);
  }
  for (const entry of frame.contentWindow.performance.getEntriesByType("resource")) {
    if (entry.responseStatus >= 400) errors.push(`${entry.responseStatus}: ${entry.name}`);
    if (new URL(entry.name).host !== location.host) errors.push(`another server: ${entry.name}`);
  }
  frame.remove();
  for (const error of errors) found.push(`${page}: ${error}`);
}
(async () => {
  for (const page of pages) await look(page);
  document.getElementById("result").textContent = JSON.stringify({ looked: pages.length, found });
  document.title = "done";
})();
</script>"""
#: What Chromium logs of a page: errors of scripts and of security policies.
_CONSOLE = re.compile(r'CONSOLE[:(].*"(?P<text>.*)", source: (?P<source>\S*)')


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a log; a browser asks for an icon that no page names."""

    def log_message(self, *arguments: Any) -> None:
        """Log nothing."""


def chromium() -> str | None:
    """Return the path of Chromium; ``None`` if it is not installed."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def problems(browser: str, folder: Path, width: int, seconds: float = 180.0) -> tuple[int, list[str]]:
    """
    Open all pages of a folder.

    :return: how many pages there are, and what is wrong, a line for each.
    """
    pages = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html") if "_static" not in path.parts)
    harness = _HARNESS.replace("PAGES", json.dumps(pages)).replace("WIDTH", str(width))
    with tempfile.TemporaryDirectory() as name:
        served = Path(name, "served")
        shutil.copytree(folder, served)
        (served / "harness.html").write_text(harness)
        handler = functools.partial(_Quiet, directory=str(served))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--no-first-run"]
            words += [f"--user-data-dir={name}/profile", "--virtual-time-budget=600000", "--dump-dom"]
            url = f"http://127.0.0.1:{server.server_port}/harness.html"
            ran = subprocess.run([browser, *words, url], capture_output=True, text=True, timeout=seconds, check=False)
            server.shutdown()
    told = re.search(r'<pre id="result">(.+?)</pre>', ran.stdout, re.DOTALL)
    if told is None:
        return 0, [f"the browser has not looked at all pages: {ran.stderr[-500:]}"]
    result = json.loads(unescape(told[1]))
    console = [f"{found['source']}: {found['text']}" for found in _CONSOLE.finditer(ran.stderr)]
    return result["looked"], [*result["found"], *console]


def main() -> int:
    """Open the pages of a folder, and print what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--width", type=int, default=1280)
    arguments = parser.parse_args()
    browser = chromium()
    if browser is None:
        print("there is no Chromium here", file=sys.stderr)
        return 2
    looked, found = problems(browser, arguments.folder, arguments.width)
    print("\n".join((*found, f"{looked} pages, {arguments.width} px wide: {len(found) or 'no'} problems")))
    return 1 if found or not looked else 0


if __name__ == "__main__":
    sys.exit(main())
