"""What a proved program is called inside depends on what its crates are, never on where they lie."""

import pytest
from scripts.guest_rustc import settled

PACKAGE = {"CARGO_PKG_NAME": "trie", "CARGO_PKG_VERSION": "1.2.3", "CARGO_CRATE_NAME": "trie"}


def asked(folder, *more, metadata="0123"):
    return [
        "--crate-name",
        "trie",
        f"{folder}/lib.rs",
        "--target",
        f"{folder}/machine.json",
        *more,
        "-C",
        f"metadata={metadata}",
    ]


def name(arguments):
    return next(argument for argument in arguments if argument.startswith("metadata="))


def test_another_folder_gives_the_same_name():
    here = settled(asked("/here", metadata="0123"), {**PACKAGE, "CARGO_MANIFEST_DIR": "/here"})
    there = settled(asked("/there", metadata="4567"), {**PACKAGE, "CARGO_MANIFEST_DIR": "/there"})
    assert name(here) == name(there)


def test_a_folder_is_called_as_its_package():
    assert (
        settled(asked("/here"), {**PACKAGE, "CARGO_MANIFEST_DIR": "/here"})[-1]
        == "--remap-path-prefix=/here=trie-1.2.3"
    )


@pytest.mark.parametrize(
    ("more", "environment"),
    [
        (("--cfg", 'feature="std"'), {}),
        (("--crate-type", "bin"), {}),
        ((), {"CARGO_PKG_VERSION": "1.2.4"}),
        ((), {"CARGO_CRATE_NAME": "build_script_build"}),
    ],
)
def test_another_crate_gives_another_name(more, environment):
    package = {**PACKAGE, "CARGO_MANIFEST_DIR": "/here"}
    assert name(settled(asked("/here", *more), package | environment)) != name(settled(asked("/here"), package))


def test_a_mere_question_stays_as_it_is():
    assert settled(["-vV"], {}) == ["-vV"]
