"""The writer: commit and reveal transactions that carry objects to Bitcoin, over crashes, fees and reorganisations.

Reads: objects, a wallet, a Bitcoin node.  Gives: `Writer`, its queue and policy.
Never: posts an object twice, loses one it took, or judges what it posts.  Spec: docs/spec/writer.md

```text
queue (SQLite, with the wallet) → build: commit → grind: reveal → send → follow blocks → bump → bury
```
"""

from .build import Builder, Plan
from .queue import SCHEMA, Attempt, Posting, PostingState, Queue
from .rate import RatePolicy
from .service import Writer, WriterState

__all__ = [
    "SCHEMA",
    "Attempt",
    "Builder",
    "Plan",
    "Posting",
    "PostingState",
    "Queue",
    "RatePolicy",
    "Writer",
    "WriterState",
]
