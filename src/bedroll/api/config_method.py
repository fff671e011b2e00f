"""What the chain's rules are, and which blocks this node can answer about.

Reads: the genesis block, the fork schedule, the oldest state.  Gives: `TABLE`, `show_rules`.
Never: names rules that the engine does not run.  Spec: docs/spec/api-chain.md#rules
"""

import zlib
from typing import Final

from .fork_rule import ForkSchedule
from .method import MethodTable
from .quantity import show_data, show_quantity
from .rule import ChainRules
from .service import Service

TABLE: Final = MethodTable()


@TABLE.method("eth_config")
async def config(service: Service) -> object:
    """Rules now, next and last (EIP-7910); Bedroll's run from block 0, and an upgrade brings a new version."""
    engine, chain_id = service.backend.engine, service.backend.network.chain_id
    schedule = ForkSchedule.of(engine)
    if schedule is None:
        told: tuple[ChainRules | None, ...] = (_own_rules(service), None, None)
    else:
        tip = engine.tip()
        told = schedule.around(tip.number, tip.timestamp)
    names = ("current", "next", "last")
    return {name: None if one is None else show_rules(one, chain_id) for name, one in zip(names, told, strict=True)}


def _own_rules(service: Service) -> ChainRules:
    genesis = service.backend.engine.header(0)
    # Nothing was ever forked: the id is of block 0 alone.
    fork_id = zlib.crc32(b"" if genesis is None else genesis.hash).to_bytes(4, "big")
    return ChainRules(fork_id=fork_id)


def show_rules(rules: ChainRules, chain_id: int) -> dict[str, object]:
    """Rules as EIP-7910 has them."""
    blobs = None
    if rules.blobs is not None:
        target, most, fraction = rules.blobs
        blobs = {"baseFeeUpdateFraction": fraction, "max": most, "target": target}
    return {
        "activationTime": rules.activation_time,
        "blobSchedule": blobs,
        "chainId": show_quantity(chain_id),
        "forkId": show_data(rules.fork_id),
        "precompiles": {name: "0x" + address for name, address in sorted(rules.precompiles.items())},
        "systemContracts": {name: "0x" + address for name, address in sorted(rules.system_contracts.items())},
    }


@TABLE.method("eth_capabilities")
async def capabilities(service: Service) -> object:
    """Of which blocks this node has what. Blocks, receipts and logs are never deleted, nor is an archive's state."""
    backend = service.backend
    latest, oldest = backend.heads().latest, backend.engine.oldest_state()
    chain: dict[str, object] = {"disabled": False, "oldestBlock": "0x0"}
    state: dict[str, object] = {"disabled": False, "oldestBlock": show_quantity(oldest)}
    if not backend.keeps_all_state:
        # As far back as a reorganisation may go, which L1 decides: the window is what it is now.
        state["deleteStrategy"] = {"type": "window", "retentionBlocks": show_quantity(latest.height - oldest + 1)}
    return {
        "head": {"number": show_quantity(latest.height), "hash": show_data(latest.hash)},
        "state": state,
        "tx": chain,
        "logs": chain,
        "receipts": chain,
        "blocks": chain,
        "stateproofs": state,
    }
