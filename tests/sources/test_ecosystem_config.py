"""Tests for :mod:`patches.sources.ecosystem_config`."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from patches.settings import BadSetting
from patches.sources.ecosystem_config import EcosystemConfig

PHOTON = {"family": "photon", "scheme": "rpm", "kind": "binary"}


def refusal(name: str, section: Any) -> str:
    """Return the message with which a section is refused."""
    with pytest.raises(BadSetting) as caught:
        EcosystemConfig.from_section(name, section)
    return str(caught.value)


class SectionTests(SynchronousTestCase):
    """Sections of a configuration file."""

    def test_parsed(self) -> None:
        """A section has a family, an order of versions, and a kind of packages."""
        self.assertEqual(
            EcosystemConfig.from_section("Photon OS", PHOTON), EcosystemConfig("Photon OS", "photon", "rpm", "binary")
        )

    def test_refused(self) -> None:
        """Any other section is refused in one line that says where, and what is wrong."""
        for name, section, message in (
            ("Photon OS", PHOTON | {"pattern": "x"}, "there is no option 'pattern', only family, scheme, kind"),
            ("Photon OS", {"family": "photon", "kind": "binary"}, "has no 'scheme'"),
            ("Photon OS", PHOTON | {"scheme": "pacman"}, "scheme: must be one of dpkg, rpm, apk, not 'pacman'"),
            ("Photon OS", PHOTON | {"kind": 7}, "kind: must be one of source, binary, not 7"),
            ("Photon OS", PHOTON | {"family": "Photon"}, "family: must be a name in lower-case"),
            ("Photon OS", PHOTON | {"family": 7}, "family: must be a name in lower-case"),
            ("Photon OS", PHOTON | {"scheme": "apk"}, "scheme: the versions of photon are those of rpm"),
            ("Photon OS", 7, "must be a table with family, scheme, kind"),
            ("Photon OS:4.0", PHOTON, "a name is that of an OSV ecosystem without its release"),
            ("a\nb", PHOTON, "a name is that of an OSV ecosystem without its release"),
        ):
            found = refusal(name, section)
            self.assertTrue(found.startswith(f'[ecosystem."{ascii(name)[1:-1]}"]: {message}'), found)
            self.assertNotIn("\n", found)
