"""Liars: every way to cheat that the game must survive, as strategies that the demo and the tests let play.

Reads: a program and its truth.  Gives: `LIES`, by name.  Never: runs in an honest party.
Spec: docs/spec/dispute.md#lies

```text
chain, replay → run → claimant → prover, challenger → catalogue
```
"""
