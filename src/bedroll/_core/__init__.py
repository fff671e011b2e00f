"""Doors of the Rust core.

Reads: nothing.  Gives: the extension module `_native`, whose manual is `_native.pyi`.
Never: is imported by anything but the faces named in the import contract.  Spec: docs/spec/core.md
"""
