"""The repository talks of the project alone: no private paths, no registry hosts, one word one sense."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = re.compile(
    r"(?<![\w.])/(?:work|root|home/\w+)/|files\.pythonhosted\.org|registry\.npmjs\.org|static\.crates\.io"
)


def _texts():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.split():
        path = ROOT / name
        if path.suffix in {".py", ".pyi", ".rs", ".md", ".toml", ".vy", ".sh", ".js", ".yml", ""} and path.is_file():
            yield path


def test_no_path_of_one_machine_and_no_host_of_a_registry_is_named():
    named = []
    for path in _texts():
        if path == Path(__file__).resolve():
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if PRIVATE.search(line):
                named.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not named


def test_the_glossary_is_sorted_and_defines_each_term_once():
    text = (ROOT / "docs/glossary.md").read_text()
    terms = [term.lower() for term in re.findall(r"^\*\*(.+?)\*\*", text, flags=re.MULTILINE)]
    assert terms == sorted(terms)
    assert len(terms) == len(set(terms))
