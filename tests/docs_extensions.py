"""The extensions of the documentation that need no Sphinx, as modules."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

_FOLDER = Path(__file__).resolve().parents[1] / "docs" / "_extensions"


def import_extension(name: str) -> ModuleType:
    """Import an extension."""
    spec = spec_from_file_location(name, _FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
