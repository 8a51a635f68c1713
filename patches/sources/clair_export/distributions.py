"""The platform of a vulnerability of Clair v4, from its distribution or its Red Hat product."""

from __future__ import annotations

import re
from typing import Any

from patches.platforms import PATTERN
from patches.sources.fields import object_of, text_of
from patches.sources.parse_context import NoPlatform, ParseContext
from patches.sources.red_hat import ProductRelease

#: The key of the repositories of Red Hat's products in Clair; other keys are those of container images.
_CPE_REPOSITORY = "rhel-cpe-repository"
#: Clair's name of a distribution → its family here, and the pattern of its versions
_FAMILIES = {
    "alpine": ("alpine", r"v?(\d+\.\d+|edge)"),
    "amzn": ("amazon", r"(2|2\d{3})(?:\.\d+)*"),
    "debian": ("debian", r"(\d+)"),
    "ol": ("oracle", r"(\d+)(?:\.\d+)?"),
    "opensuse-leap": ("opensuse-leap", r"(\d+\.\d+)"),
    "photon": ("photon", r"(\d+\.\d+)"),
    "rhel": ("rhel", r"(\d+)(?:\.\d+)?"),
    "sles": ("sles", r"(\d+(?:\.\d+)?)"),
    "ubuntu": ("ubuntu", r"(\d\d\.\d\d)"),
}
#: The version of the last release of Amazon Linux 1: a year and a month.
_AMAZON_1 = "2018.03"


def release_of(record: dict[str, Any], context: ParseContext) -> ProductRelease:
    """
    Return the platform of a vulnerability, and the track of a product of Red Hat with longer support.

    :param record: the vulnerability in Clair's form.
    :param context: contains the reasons of skipped entries so far.
    :raises NoPlatform: if it has no platform.
    """
    distribution, repository = object_of(record.get("distribution")), object_of(record.get("repository"))
    name, version = text_of(distribution.get("did")), text_of(distribution.get("version_id"))
    if name:
        return ProductRelease(_of_distribution(name, version, context))
    key, cpes = text_of(repository.get("key")), [text_of(repository.get(key)) for key in ("cpe", "name")]
    if key and key != _CPE_REPOSITORY:
        raise NoPlatform("container image")
    found = [release for cpe in cpes if (release := ProductRelease.from_cpe(cpe)) is not None]
    if not found:
        raise NoPlatform("another product of Red Hat" if any("redhat" in cpe for cpe in cpes) else "no distribution")
    return found[0]


def _of_distribution(name: str, version: str, context: ParseContext) -> str:
    if name == "amzn" and version == _AMAZON_1:
        return "amazon-1"
    if name == "opensuse-tumbleweed":
        return name
    if name in _FAMILIES:
        family, form = _FAMILIES[name]
        found = re.fullmatch(form, version)
        if found and PATTERN.match(platform := f"{family}-{found[1]}"):
            return platform
    raise NoPlatform(context.unknown("distribution", f"{name} {version}".strip()))
