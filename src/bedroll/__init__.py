"""Bedroll: a rollup on Bitcoin.

Bitcoin is the gas, every transaction's data is on Bitcoin, and the whole chain can be rebuilt from
Bitcoin alone. A folder of this package is a chapter; `docs/spec/<folder>.md` is the same chapter in prose.
"""

__version__ = "0.1.0"
