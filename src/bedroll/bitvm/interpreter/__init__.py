"""An interpreter of tapscript with Bitcoin's consensus rules and, on wish, the rules of relay.

Reads: scripts and witness items from anyone.  Gives: success with what it cost, or `ScriptFailure`.
Never: decides consensus: Bitcoin Core's own code does, and tests compare.  Spec: docs/spec/bitvm.md#interpreter
"""

from .failure import ScriptFailure
from .rule import Context, Cost, Rules
from .run import execute, run_steps

__all__ = ["Context", "Cost", "Rules", "ScriptFailure", "execute", "run_steps"]
