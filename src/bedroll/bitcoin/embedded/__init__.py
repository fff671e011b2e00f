"""A Bitcoin node in this process: Bitcoin Core's validation, with our journal, coin index, mempool and miner.

Reads: blocks and transactions, from anyone.  Gives: `EmbeddedClient`, a `BitcoinClient` on regtest.
Never: judges a block itself; talks to a network.  Spec: docs/spec/bitcoin.md#client

```text
client → node → chain → kernel    Bitcoin Core's code
               │       → journal   blocks it has not written yet
               │       → index     coins by name and script
               → admission → standard, lock, truc, replacement, package → mempool → cluster
               → miner
```
"""

from ..client import RejectedBlock
from .client import EmbeddedClient
from .miner import build_block, subsidy

__all__ = ["EmbeddedClient", "RejectedBlock", "build_block", "subsidy"]
