"""The manual of the Rust core says exactly what the compiled module has."""

import ast
from pathlib import Path

from bedroll._core import _native

STUB = Path(_native.__file__).with_name("_native.pyi")


def test_the_stub_names_what_the_core_exports_and_nothing_else():
    tree = ast.parse(STUB.read_text())
    stubbed = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    exported = {name for name in dir(_native) if not name.startswith("_")}
    assert stubbed == exported


def test_each_class_has_the_members_its_stub_names():
    tree = ast.parse(STUB.read_text())
    wrong = []
    for cls in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        real = getattr(_native, cls.name)
        named = {node.name for node in cls.body if isinstance(node, ast.FunctionDef)}
        named |= {
            node.target.id for node in cls.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        }
        has = {name for name in dir(real) if not name.startswith("_")}
        wrong += [f"{cls.name}.{name}" for name in (named - {"__new__", "__init__"}) ^ has if not name.startswith("_")]
    assert not wrong
