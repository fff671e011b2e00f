"""Every number that all nodes must share, with its unit and reason.

Reads: nothing.  Gives: `Parameters` of each network, tags, addresses of predeploys.
Never: depends on an operator's option.  Spec: docs/spec/protocol.md
"""

from .network import MAINNET, NETWORKS, REGTEST, TESTNET, Network, network_named
from .parameter import Parameters
from .predeploy import (
    ADDRESS_BOOK,
    BASE_FEE_VAULT,
    CREATE2_DEPLOYER,
    LIGHT_CLIENT,
    MULTICALL,
    SAFE_DEPLOYER,
    SINGLETON_FACTORY,
    SYSTEM_CALLER,
    TIP_VAULT,
    WRAPPED_BITCOIN,
)

__all__ = [
    "ADDRESS_BOOK",
    "BASE_FEE_VAULT",
    "CREATE2_DEPLOYER",
    "LIGHT_CLIENT",
    "MAINNET",
    "MULTICALL",
    "NETWORKS",
    "REGTEST",
    "SAFE_DEPLOYER",
    "SINGLETON_FACTORY",
    "SYSTEM_CALLER",
    "TESTNET",
    "TIP_VAULT",
    "WRAPPED_BITCOIN",
    "Network",
    "Parameters",
    "network_named",
]
