"""How the mempool says no: in Ethereum's words, which clients match.

Reads: nothing.  Gives: `Refused`.
Never: decides: the checks are in the core (`crates/front/src/admit.rs`).  Spec: docs/spec/execution.md#admission
"""

from bedroll.primitives import Invalid


class Refused(Invalid):
    """The mempool does not take a transaction; the message is what Ethereum clients say."""
