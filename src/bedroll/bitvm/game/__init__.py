"""The game as pure values: what was said, what an honest party says next, which fact is false.

Reads: messages, a party's own run.  Gives: `Record`, answers, refutations.
Never: knows keys, scripts or transactions.  Spec: docs/spec/dispute.md#honest-play

```text
run → record → refute → answer
```
"""
