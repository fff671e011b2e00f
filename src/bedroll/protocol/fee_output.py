"""The output that takes fees of objects on Bitcoin: nobody can spend it.

Reads: nothing.  Gives: the script.  Never: derives it from anything secret.  Spec: docs/spec/protocol.md#fee-output

Source: BIP-0341, "Constructing and spending Taproot outputs": the point H of unknown discrete logarithm.
"""

from typing import Final

NUMS_KEY: Final = bytes.fromhex("50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0")
"""x coordinate of H, 32 bytes."""
FEE_SCRIPT: Final = b"\x51\x20" + NUMS_KEY
"""`OP_1 <H>`: a taproot output whose key is H itself. The fee of an object is the sum of these outputs."""
