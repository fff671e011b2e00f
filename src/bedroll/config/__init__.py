"""What an operator may choose: one table that makes file, environment, flags and manual.

Reads: a TOML file, the environment, flags.  Gives: `Config` and its parts, `load`, `OPTIONS`.
Never: holds a number that all nodes must share (`protocol` does).  Spec: docs/spec/config.md
"""

from .key_file import read_key, write_key
from .load import Loaded, load
from .manual import manual
from .option import Option, Source
from .table import (
    OPTIONS,
    BitcoinConfig,
    Config,
    DevnetConfig,
    FollowConfig,
    LogConfig,
    MempoolConfig,
    RpcConfig,
    SequencerConfig,
)

__all__ = [
    "OPTIONS",
    "BitcoinConfig",
    "Config",
    "DevnetConfig",
    "FollowConfig",
    "Loaded",
    "LogConfig",
    "MempoolConfig",
    "Option",
    "RpcConfig",
    "SequencerConfig",
    "Source",
    "load",
    "manual",
    "read_key",
    "write_key",
]
