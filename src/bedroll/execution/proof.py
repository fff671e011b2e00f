"""The proved program as the node runs it: its input, its statement.

Reads: an engine at or above the parent.  Gives: `program_input`, `run_program`, `Statement`.
Never: proves.  Spec: docs/spec/proof.md
"""

from bedroll._core._native import Statement, program_input, run_program

__all__ = ["Statement", "program_input", "run_program"]
