"""Fixtures that any test may ask for by name."""

from tests.framework.chain import embedded_chain

__all__ = ["embedded_chain"]
