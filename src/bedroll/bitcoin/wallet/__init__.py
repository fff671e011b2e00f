"""Keys and coins: locks, change, replacement, children, and a state that survives restarts and reorganisations.

Reads: blocks in order, orders to pay.  Gives: signed transactions of taproot inputs only (so no one changes a wtxid).
Never: spends another's unconfirmed output, or an output that is locked for something else.
Spec: docs/spec/bitcoin.md#wallet

```python
store = Database.open(folder / "wallet.sqlite", MIGRATIONS)
wallet = Wallet(store, SeedKeyring(seed, network))
await follow(wallet, client, start=L1Height(0))
payment = wallet.pay([TxOut(Satoshi(50_000), script)], rate, purpose="commit 7")
await client.broadcast([payment.transaction.raw])
```
"""

from .coin import Balance, Payment, State, WalletCoin
from .follow import broadcast_pending, follow
from .key import Branch, ExtendedKey, Keyring, SeedKeyring, SingleKeyring
from .store import MIGRATIONS, Store
from .wallet import ClusterFull, Wallet

__all__ = [
    "MIGRATIONS",
    "Balance",
    "Branch",
    "ClusterFull",
    "ExtendedKey",
    "Keyring",
    "Payment",
    "SeedKeyring",
    "SingleKeyring",
    "State",
    "Store",
    "Wallet",
    "WalletCoin",
    "broadcast_pending",
    "follow",
]
