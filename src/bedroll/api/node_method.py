"""`net_`, `web3_` and the other methods that say what server this is.

Reads: the node's state.  Gives: `TABLE`.  Never: names the machine.  Spec: docs/spec/api.md#methods
"""

from typing import Final

from bedroll.crypto.keccak import keccak256
from bedroll.protocol import TIP_VAULT

from .method import MethodTable, required
from .quantity import parse_data, show_data, show_quantity
from .service import CLIENT_VERSION, Service

TABLE: Final = MethodTable()


@TABLE.method("eth_chainId")
async def chain_id(service: Service) -> object:
    """Chain id (EIP-155)."""
    return show_quantity(service.backend.network.chain_id)


@TABLE.method("net_version")
async def net_version(service: Service) -> object:
    """Chain id in decimal."""
    return str(service.backend.network.chain_id)


@TABLE.method("net_listening")
async def net_listening(_service: Service) -> object:
    """Whether the node takes part: always."""
    return True


@TABLE.method("net_peerCount")
async def net_peer_count(_service: Service) -> object:
    """Zero: nodes follow Bitcoin, not each other."""
    return "0x0"


@TABLE.method("web3_clientVersion")
async def client_version(_service: Service) -> object:
    """Name and version."""
    return CLIENT_VERSION


@TABLE.method("web3_sha3", required("bytes", lambda value, name: parse_data(value, name)))
async def sha3(_service: Service, data: bytes) -> object:
    """Keccak-256."""
    return show_data(keccak256(data))


@TABLE.method("eth_protocolVersion")
async def protocol_version(_service: Service) -> object:
    """Version that Ethereum's nodes gave last."""
    return "0x44"


@TABLE.method("eth_coinbase")
async def coinbase(_service: Service) -> object:
    """The vault that takes the tips."""
    return show_data(TIP_VAULT)


@TABLE.method("eth_mining")
async def mining(_service: Service) -> object:
    """False: blocks are signed, not mined."""
    return False


@TABLE.method("eth_hashrate")
async def hashrate(_service: Service) -> object:
    """Zero."""
    return "0x0"


@TABLE.method("eth_syncing")
async def syncing(service: Service) -> object:
    """False, or how far a node that is behind has come; heights of L1 stand beside those of L2."""
    return show_syncing(service)


@TABLE.method("rpc_modules")
async def modules(service: Service) -> object:
    """Families of methods."""
    return dict.fromkeys(service.modules, "1.0")


def show_syncing(service: Service) -> object:
    """Progress of a node that is behind; False for one that is not.

    L2's highest block is unknown until Bitcoin is read; the L1 heights say how much is left.
    """
    sync = service.backend.sync_status()
    if sync is None:
        return False
    return {
        "startingBlock": "0x0",
        "currentBlock": show_quantity(sync.current_block),
        "highestBlock": show_quantity(sync.current_block),
        "startingL1": show_quantity(sync.starting_l1),
        "currentL1": show_quantity(sync.current_l1),
        "highestL1": show_quantity(sync.highest_l1),
    }
