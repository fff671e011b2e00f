"""The service that joins the parts: Bitcoin to derivation to engine, with a sequencer where told.

Reads: a Bitcoin client, a data folder, options.  Gives: `bedroll.api.port.Backend`, the running node, the devnet.
Never: holds a rule of the protocol.  Spec: docs/spec/node.md
"""
