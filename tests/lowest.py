"""Print constraints for pip: the lowest version of each requirement, of the programs and of their tests."""

from __future__ import annotations

from importlib.metadata import requires

from packaging.requirements import Requirement

EXTRAS = ("", "test")


def constraints() -> dict[str, str]:
    """Return the lowest versions by name, as the package that is installed declares them."""
    found: dict[str, str] = {}
    for text in requires("patches") or ():
        requirement = Requirement(text)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in EXTRAS):
            (lowest,) = (each.version for each in requirement.specifier if each.operator == ">=")
            if found.setdefault(requirement.name, lowest) != lowest:
                raise ValueError(f"{requirement.name} has two lower bounds: {lowest}, {found[requirement.name]}")
    return found


if __name__ == "__main__":
    for name, version in sorted(constraints().items()):
        print(f"{name}=={version}")
