"""Metrics of one process: what it did, what waits, how far it is.

Reads: numbers from services.  Gives: `Metrics`, the Prometheus text.
Never: computes a rate, or takes an unbounded label.  Spec: docs/spec/metrics.md
"""

from .registry import Metrics

__all__ = ["Metrics"]
