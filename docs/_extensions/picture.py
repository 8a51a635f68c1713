"""
A picture of a terminal with the tutorial's scan: standard input with its colours, as SVG.

FORCE_COLOR=1 COLUMNS=100 patches scan … | python docs/_extensions/picture.py > docs/tutorial/scan.svg
"""

from __future__ import annotations

import io
import re
import sys

from rich.console import Console
from rich.text import Text

COMMAND = "patches scan --root patches/demo/host"


def picture(output: str) -> str:
    """
    Return the picture of a scan's output.

    :param output: with the terminal's sequences for colours.
    """
    console = Console(record=True, width=100, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "dim"), COMMAND))
    console.print(Text.from_ansi(output))
    drawn = console.export_svg(title="patches scan", unique_id="scan")
    # Without its fonts, the picture makes no browser request a file from another server.
    return re.sub(r"@font-face {.*?}\s*", "", drawn, flags=re.DOTALL)


if __name__ == "__main__":
    sys.stdout.write(picture(sys.stdin.read()))
