"""
A mutation test of the modules that decide: ``python -m tests.mutants [--seed N] [--modules PART …] [--each N]``.

For each module a few mutants are chosen, always the same ones for one seed. Each is one small error in the module's
syntax tree: a comparison swapped, a condition negated, a number off by one, a call removed. A mutant is written into a
temporary copy of the checkout, never in place, and the tests of its module are run there. A mutant under which they
fail, or do not end, is killed; one under which they pass survives, and shows what no test checks. A mutant that cannot
be killed, because it is equivalent, is listed with the reason in ``mutants.toml``.
"""

from __future__ import annotations

import argparse
import ast
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import field, frozen

CHECKOUT = Path(__file__).resolve().parents[1]
#: The share of mutants that must be killed, equivalent ones excluded.
REQUIRED = 0.97
WORKERS = 2

#: The modules, and the tests of each besides those at the mirrored path (``test_NAME.py``, ``test_NAME_*.py``). A name
#: in the same folder, or a path below ``tests``.
MODULES: Mapping[str, tuple[str, ...]] = {
    "platforms": ("scanner/host/test_os_release.py",),
    "vulnerability": ("test_wire.py",),
    "wire": (),
    "scanner/client/cache": ("test_durability.py",),
    "scanner/client/delta": ("test_delta_round_trip.py",),
    "scanner/client/trust": ("test_durability.py",),
    "scanner/compare": ("scanner/client/test_cache.py",),
    "scanner/matching/aliases": (
        *("scanner/matching/test_findings.py", "scanner/matching/test_matcher.py"),
        "scanner/matching/test_vex.py",
    ),
    "scanner/matching/coverage": ("scanner/matching/test_matcher.py", "scanner/test_scan.py"),
    "scanner/matching/findings": (),
    "scanner/matching/ignores": ("scanner/matching/test_findings.py", "scanner/matching/test_ignore_files.py"),
    "scanner/matching/matcher": (),
    "scanner/matching/rules": ("scanner/matching/test_matcher.py", "scanner/matching/test_matcher_rpm.py"),
    "scanner/outcome": ("scanner/output/test_table.py", "scanner/output/test_document.py", "scanner/test_scan.py"),
    "scanner/reporting/outbox": ("test_durability.py",),
    "server/budget": (),
    "server/catalogue/chunks": (),
    "server/catalogue/delta": ("server/catalogue/test_deltas.py", "test_delta_round_trip.py"),
    "server/catalogue/diff": (),
    "server/catalogue/pruning": ("server/catalogue/test_store.py",),
    "server/catalogue/store": ("server/catalogue/test_migrate.py", "server/admin/test_bundle_commands.py"),
    "server/first_scanner/slice_sessions": ("server/first_scanner/test_service.py", "server/http/test_vulns.py"),
    "server/first_scanner/slices": (),
    "server/refresh/merge": ("server/refresh/test_staging_crash.py",),
    "server/refresh/schedule": ("server/refresh/test_refresher.py", "server/refresh/test_poller.py"),
    "server/refresh/source_state": ("server/refresh/test_refresher.py", "server/refresh/test_merge.py"),
    "server/refresh/staging": ("server/refresh/test_refresher.py",),
    "server/refresh/status": ("server/refresh/test_refresher.py", "server/http/test_api.py"),
    "server/sessions/pace": (),
    "server/sessions/queue": ("server/sessions/test_sessions_shares.py",),
    "server/sessions/sessions": (
        *("server/sessions/test_service.py", "server/sessions/test_liveness.py", "server/sessions/test_pace.py"),
        *("server/sessions/test_sessions_laggards.py", "server/sessions/test_sessions_shares.py"),
        *("server/sessions/test_resuming.py", "server/sessions/test_events.py"),
    ),
    "server/sessions/states": (),
    "server/sessions/tokens": (),
    "server/sessions/window": ("server/sessions/test_service.py", "server/sessions/test_sessions_laggards.py"),
    "server/sessions/windows": ("server/sessions/test_window.py", "server/sessions/test_sessions_laggards.py"),
    "sources/fetch/cache": (
        *("sources/fetch/test_download.py", "sources/fetch/test_download_resuming.py"),
        "test_durability.py",
    ),
    "sources/fetch/checksums": (),
    "sources/fetch/request": ("sources/fetch/test_retry_statuses.py", "sources/fetch/test_checksums_algorithms.py"),
    "sources/fetch/retry": ("sources/fetch/test_request.py",),
    "storage/atomic_file": ("test_durability.py",),
    "versions/apk": (),
    "versions/dpkg": (),
    "versions/numbers": ("versions/test_apk.py", "versions/test_dpkg.py", "versions/test_rpm.py"),
    "versions/rpm": (),
}

_SWAPPED = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq},
    **{ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is},
}
_ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add}
#: A string that is a name of the contract, not a text for people.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


@frozen
class Mutant:
    """
    One small error.

    :ivar start: the start of the replaced code, in bytes from the beginning of the module.
    :ivar end: the end of the replaced code.
    :ivar after: the code that replaces it.
    """

    module: str
    line: int
    start: int
    end: int
    after: str

    def apply(self, source: bytes) -> bytes:
        """Return the module with this error."""
        return source[: self.start] + self.after.encode() + source[self.end :]

    def difference(self, source: bytes) -> tuple[str, str]:
        """Return the lines that differ, stripped and joined: before and after."""
        begin = source.rfind(b"\n", 0, self.start) + 1
        end = source.find(b"\n", self.end)
        lines = source[begin:end], source[begin : self.start] + self.after.encode() + source[self.end : end]
        before, after = (" ".join(each.decode().split()) for each in lines)
        return before, after


@frozen
class Equivalent:
    """A mutant that is equivalent to the program, and the reason."""

    module: str
    before: str
    after: str
    reason: str


@frozen
class Result:
    """
    The result of the mutants of one module.

    :ivar survivors: the line number of each, and the line before and after the change.
    """

    module: str
    mutants: int
    survivors: Sequence[tuple[int, str, str]]
    equivalents: int = field(default=0)


class Finder(ast.NodeVisitor):
    """Finds every mutant of a module."""

    def __init__(self, module: str, source: bytes) -> None:
        self.found: list[Mutant] = []
        self._module = module
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def _replace(self, node: ast.expr | ast.stmt, after: str) -> None:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._starts[node.lineno - 1] + node.col_offset
        end = self._starts[node.end_lineno - 1] + node.end_col_offset
        self.found.append(Mutant(self._module, node.lineno, start, end, after))

    def _replace_expression(self, node: ast.expr, after: ast.expr) -> None:
        text = ast.unparse(ast.fix_missing_locations(after))
        self._replace(node, text if isinstance(after, ast.Constant) else f"({text})")

    def visit_Compare(self, node: ast.Compare) -> None:
        for index, operator in enumerate(node.ops):
            swapped = [*node.ops]
            swapped[index] = _SWAPPED[type(operator)]()
            self._replace_expression(node, ast.Compare(node.left, swapped, node.comparators))
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        self._replace_expression(node, ast.BoolOp(other, node.values))
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not | ast.USub):
            self._replace_expression(node, node.operand)
        if not isinstance(node.operand, ast.Constant):
            self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in _ARITHMETIC:
            self._replace_expression(node, ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right))
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._replace_expression(node.test, ast.UnaryOp(ast.Not(), node.test))
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            return
        self._replace_expression(node.test, ast.UnaryOp(ast.Not(), node.test))
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._replace_expression(node, ast.Constant(not node.value))
        elif isinstance(node.value, int):
            for other in (node.value + 1, node.value - 1):
                self._replace_expression(node, ast.Constant(other))
        elif isinstance(node.value, str) and _NAME.fullmatch(node.value):
            self._replace_expression(node, ast.Constant(node.value + "x"))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if type(node.op) in _ARITHMETIC:
            after = ast.AugAssign(node.target, _ARITHMETIC[type(node.op)](), node.value)
            self._replace(node, ast.unparse(ast.fix_missing_locations(after)))
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._replace(node, "pass")  # its text is for people

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self._replace(node, "return None")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        called = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(node.value, ast.Constant) or ast.unparse(called).startswith(("log.", "self._log.")):
            return
        if isinstance(called, ast.Call):
            self._replace(node, "pass")
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Skip texts for people."""

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for each in (*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d), *node.body):
            self.visit(each)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Call(self, node: ast.Call) -> None:
        if ast.unparse(node.func) not in ("lru_cache", "TypeVar"):  # the size of a cache changes no result
            self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        """Skip assertions, which are for the type checker."""

    def visit_Assign(self, node: ast.Assign) -> None:
        targets = {ast.unparse(target) for target in node.targets}
        if not targets & {"__all__", "__slots__", "T"}:
            self.visit(node.value)


def draw(module: str, source: bytes, seed: int, number: int) -> list[Mutant]:
    """Return some mutants of a module, in the order of its lines; the same for the same seed."""
    finder = Finder(module, source)
    finder.visit(ast.parse(source))
    able = [each for each in finder.found if _compiles(each.apply(source))]
    drawn = random.Random(f"{seed} {module}").sample(able, min(number, len(able)))
    return sorted(drawn, key=lambda each: (each.start, each.end, each.after))


def _compiles(source: bytes) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def tests_of(module: str, checkout: Path) -> list[str]:
    """
    Return the paths of a module's tests, those at the mirrored path first.

    :raises FileNotFoundError: if it has none.
    """
    folder, _, name = f"tests/{module}".rpartition("/")
    mirrored = [checkout / folder / f"test_{name}.py", *sorted((checkout / folder).glob(f"test_{name}_*.py"))]
    others = [checkout / "tests" / each for each in ("test_contracts.py", *MODULES.get(module, ()))]
    found = dict.fromkeys(path.relative_to(checkout).as_posix() for path in (*mirrored, *others) if path.is_file())
    if not found:
        raise FileNotFoundError(f"no tests of {module}")
    return list(found)


def equivalents(path: Path = CHECKOUT / "tests/mutants.toml") -> list[Equivalent]:
    """Return the mutants that were reviewed, and are equivalent."""
    return [Equivalent(**each) for each in tomllib.loads(path.read_text("utf-8")).get("equivalent", ())]


def copies(folder: Path, number: int) -> Iterator[Path]:
    """Yield copies of the checkout, without generated files."""
    left_out = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "_build", "tests.*")
    for index in range(number):
        place = folder / f"{index}" / "checkout"
        shutil.copytree(CHECKOUT, place, ignore=left_out, symlinks=True)
        yield place


def run(checkout: Path, tests: Sequence[str], seconds: float) -> bool:
    """
    Run tests in a copy of the checkout.

    :param seconds: the longest time; tests that take longer fail.
    :return: whether they pass.
    :raises RuntimeError: if pytest runs no test.
    """
    shared = os.environ.get("TEST_SHARED") or str(CHECKOUT.parent / "shared")
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1", "TEST_SHARED": shared}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    command += [f"--basetemp={checkout.parent / 'temporary'}", *tests]
    process = subprocess.Popen(
        command,
        cwd=checkout,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        return False
    if code in (4, 5):
        raise RuntimeError(f"pytest ended with {code}: {command}")
    return code == 0


def examine(module: str, seed: int, number: int, places: Sequence[Path], known: Sequence[Equivalent]) -> Result:
    """
    Run the tests of a module under mutants of it.

    :param places: copies of the checkout, one for each worker.
    :raises RuntimeError: if the tests fail without a mutant too.
    """
    path = f"patches/{module}.py"
    source = (places[0] / path).read_bytes()
    tests = tests_of(module, places[0])
    begun = time.monotonic()
    if not run(places[0], tests, 600):
        raise RuntimeError(f"the tests of {module} fail without a mutant: {' '.join(tests)}")
    seconds = 10 + 4 * (time.monotonic() - begun)
    reviewed = {(each.before, each.after) for each in known if each.module == module}
    drawn = draw(module, source, seed, number)
    mutants = [each for each in drawn if each.difference(source) not in reviewed]
    free: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for place in places:
        free.put(place)

    def survives(mutant: Mutant) -> bool:
        place = free.get()
        try:
            (place / path).write_bytes(mutant.apply(source))
            return run(place, tests, seconds)
        finally:
            (place / path).write_bytes(source)
            free.put(place)

    with ThreadPoolExecutor(len(places)) as pool:
        passed = list(pool.map(survives, mutants))
    survivors = [mutant for mutant, alive in zip(mutants, passed, strict=True) if alive]
    differences = [(each.line, *each.difference(source)) for each in survivors]
    return Result(module, len(mutants), differences, len(drawn) - len(mutants))


def report(result: Result) -> Iterator[str]:
    """Yield the lines about a module: its counts, then each survivor."""
    killed = result.mutants - len(result.survivors)
    listed = f", {result.equivalents} equivalent" if result.equivalents else ""
    yield f"{result.module}: {result.mutants} mutants, {killed} killed{listed}"
    for line, before, after in result.survivors:
        yield f"  patches/{result.module}.py:{line}\n    - {before}\n    + {after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code: 1 if too many mutants survive."""
    parser = argparse.ArgumentParser(prog="tests.mutants", description="Run the tests under small errors.")
    parser.add_argument("--seed", type=int, default=1, help="which mutants are drawn")
    parser.add_argument("--each", type=int, default=8, help="how many mutants of a module")
    parser.add_argument("--modules", nargs="*", default=[], help="parts of the names of modules; all by default")
    options = parser.parse_args(arguments)
    chosen = [name for name in MODULES if not options.modules or any(part in name for part in options.modules)]
    known = equivalents()
    total = survived = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        places = list(copies(Path(folder), WORKERS))
        for module in chosen:
            result = examine(module, options.seed, options.each, places, known)
            print("\n".join(report(result)), flush=True)
            total += result.mutants
            survived += len(result.survivors)
    share = 1 - survived / total if total else 0.0
    print(
        f"{total} mutants of {len(chosen)} modules, {total - survived} killed: {share:.1%} of {REQUIRED:.0%} required"
    )
    return 0 if share >= REQUIRED else 1


if __name__ == "__main__":
    sys.exit(main())
