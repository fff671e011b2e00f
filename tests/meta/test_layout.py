"""The tree keeps its conventions: sizes, names, chapters, documents that tell the truth."""

import ast
import importlib
import pkgutil
import re
import statistics
import subprocess
from pathlib import Path

import pytest

import bedroll

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src/bedroll"
FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 80
MEDIAN_LINES_MAX = 150
BANNED_WORDS = {
    "manager", "helper", "util", "utils", "common", "misc", "base", "impl", "data", "info", "handler", "processor",
}  # fmt: skip


FIELD_NAMES = {"typed_data"}
"""Names that a standard gives (EIP-712)."""


def _tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [ROOT / name for name in listed.stdout.split() if (ROOT / name).is_file()]


def _code() -> list[Path]:
    return [path for path in _tracked("*.py", "*.rs", "*.vy") if "vectors" not in path.parts]


def _packages() -> list[Path]:
    return sorted(path for path in SOURCE.iterdir() if (path / "__init__.py").exists())


def test_no_file_is_longer_than_a_reader_can_hold():
    lengths = {path: path.read_text().count("\n") for path in _code()}
    long = {str(path.relative_to(ROOT)): count for path, count in lengths.items() if count > FILE_LINES_MAX}
    assert not long
    shipped = [count for path, count in lengths.items() if SOURCE in path.parents and count > 3]
    assert statistics.median(shipped) <= MEDIAN_LINES_MAX


def test_no_function_is_longer_than_a_screen():
    long = []
    for path in _code():
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines")
    assert not long


def test_no_file_is_named_after_nothing():
    vague = [
        path for path in _code() if path.stem not in FIELD_NAMES and BANNED_WORDS & set(re.split(r"[_.]", path.stem))
    ]
    assert not vague


@pytest.mark.parametrize("package", _packages(), ids=lambda path: path.name)
def test_a_package_says_what_it_reads_gives_and_never_does(package):
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    for word in ("Reads:", "Gives:", "Never:", "Spec:"):
        assert word in docstring, f"{package.name}/__init__.py lacks {word}"


@pytest.mark.parametrize("package", _packages(), ids=lambda path: path.name)
def test_a_package_has_its_chapter(package):
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    chapter = re.search(r"docs/spec/[\w-]+\.md", docstring)
    assert chapter, f"{package.name}/__init__.py names no chapter"
    assert (ROOT / chapter.group()).is_file(), f"{chapter.group()} does not exist"


def test_public_names_exist_and_are_sorted():
    for found in pkgutil.walk_packages(bedroll.__path__, "bedroll."):
        if found.name == "bedroll.__main__" or not found.ispkg or found.name == "bedroll._core":
            continue
        module = importlib.import_module(found.name)
        names = getattr(module, "__all__", None)
        if names is None:
            continue
        assert list(names) == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name)) or list(
            names
        ) == sorted(names), f"{found.name}.__all__ is not sorted"
        for name in names:
            assert hasattr(module, name), f"{found.name}.{name} does not exist"


def test_documents_name_only_paths_that_exist():
    missing = []
    for document in _tracked("*.md"):
        text = document.read_text()
        for name in re.findall(
            r"`((?:src|crates|docs|tests|scripts|contracts|benches|examples|requirements|ops)/[\w./-]*)`", text
        ):
            if "…" not in name and not (ROOT / name).exists():
                missing.append(f"{document.relative_to(ROOT)}: {name}")
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            if not (document.parent / link).exists():
                missing.append(f"{document.relative_to(ROOT)}: {link}")
    assert not missing


def test_docstrings_name_only_chapters_and_headings_that_exist():
    missing = []
    for path in _tracked("src/*.py", "src/*.pyi"):
        for chapter, _, anchor in re.findall(r"(docs/(?:spec|design)/[\w-]+\.md)(#([\w-]+))?", path.read_text()):
            target = ROOT / chapter
            if not target.is_file():
                missing.append(f"{path.relative_to(ROOT)}: {chapter}")
            elif anchor and anchor not in _anchors(target):
                missing.append(f"{path.relative_to(ROOT)}: {chapter}#{anchor}")
    assert not missing


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.*)$", document.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_the_readme_names_only_tasks_that_exist():
    tasks = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert named <= tasks


def test_locks_name_no_host():
    for lock in _tracked("requirements/*.lock"):
        assert "://" not in lock.read_text(), lock.name
    for lock in _tracked("**/package-lock.json"):
        assert '"resolved"' not in lock.read_text(), lock.name
