"""The leader's service: takes transactions, seals and signs blocks, streams them, posts batches and commitments.

Reads: transactions, L1 as derivation sees it, the leader's key.  Gives: blocks, signatures, objects for the writer.
Never: decides what is valid: engine and derivation do.  Spec: docs/spec/sequencer.md

```text
intake → mempool → producer → finisher (durable, signed) → stream
                                 └─► batcher → da.writer
```
"""
