"""The published bytecode is the one whose source and hash are written beside it."""

import hashlib
import re

import pytest

from tests.framework.official import VECTORS

FOLDERS = sorted(path for path in VECTORS.iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", FOLDERS, ids=[path.name for path in FOLDERS])
def test_each_file_has_the_hash_that_its_source_names(folder):
    said = (folder / "SOURCE.md").read_text()
    named = dict(re.findall(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", said))
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*.json")}
    assert found == named
    assert "Licence: " in said
