"""Bitcoin: its codecs and rules as pure functions, and the services that meet a node.

Reads: bytes from Bitcoin and from anyone.  Gives: transactions, blocks, proofs, signed spends; a node and a wallet
behind ports.
Never: decides whether a script is valid (Bitcoin Core's code does), or knows what the bytes mean to the rollup.
Spec: docs/spec/bitcoin.md

```text
opcode → script → transaction → merkle, work → header → block → inclusion, header_chain      what Bitcoin is
witness → sighash → taproot → fee → builder, policy, address                                   how it is spent
client (port) ← embedded, rpc, server                                                          a node
wallet                                                                                         keys and coins
```
"""
