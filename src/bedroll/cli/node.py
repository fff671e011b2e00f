"""`bedroll node`: derive the chain from Bitcoin and serve it.

Reads: options, the genesis file.  Gives: `command`, `read_genesis`.
Never: needs anyone but a Bitcoin node.  Spec: docs/spec/cli.md#node
"""

import asyncio
from typing import Final

import click

from bedroll.config import Config
from bedroll.execution.genesis import Genesis
from bedroll.node.proof_verifier import read_circuit_key
from bedroll.node.service import LeaderSetup, Node
from bedroll.primitives import Misconfigured

from .bitcoin import open_bitcoin
from .output import Output
from .run import Context, declare, run_service
from .serve import run_until, serving

_PROGRESS_SECONDS: Final = 2.0
_SECTIONS: Final = ("network", "folder", "genesis", "circuit", "bitcoin", "rpc", "follow", "history", "log")


@declare("node", *_SECTIONS)
@click.option("--from-bitcoin", is_flag=True, help="Read Bitcoin alone, whatever follow.url says.")
def command(context: Context, flags: dict[str, object], *, from_bitcoin: bool) -> None:
    """Follow the chain: derive it from Bitcoin and serve it. Ctrl-C ends it.

    It needs the chain's genesis file and a Bitcoin node; with --follow-url also shows the leader's newest blocks.
    """
    config = context.load(flags)
    url = "" if from_bitcoin else config.follow.url
    run_service(lambda stop: serve_node(context.output, config, stop, follow_url=url))


async def serve_node(
    output: Output, config: Config, stop: asyncio.Event, *, follow_url: str = "", leader: LeaderSetup | None = None
) -> None:
    """Open a node, serve it until told to stop, close it."""
    genesis = read_genesis(config)
    async with open_bitcoin(config, serve=True) as client:
        node = await Node.open(
            config.folder,
            genesis,
            client,
            leader=leader,
            follow_url=follow_url,
            signature_urls=config.follow.signatures,
            circuit=circuit_of(config),
            archive=config.history.mode == "archive",
            keep_blocks=config.history.keep_blocks,
        )
        try:
            async with serving(node, config) as server:
                heads = node.heads()
                output.result(
                    {
                        "role": node.role,
                        "network": node.network.name,
                        "chainId": node.network.chain_id,
                        "rpc": server.url,
                        "latest": heads.latest.height,
                        "finalized": heads.finalized.height,
                        "folder": str(config.folder),
                    },
                    title=f"bedroll {node.role}",
                )
                output.hint(f"curl {server.url}/healthz; Ctrl-C ends it")
                telling = asyncio.create_task(_tell_progress(output, node), name="progress")
                try:
                    await run_until(node.run(), stop)
                finally:
                    telling.cancel()
                    await asyncio.gather(telling, return_exceptions=True)
                output.say("stopped")
        finally:
            await node.close()


async def _tell_progress(output: Output, node: Node) -> None:
    """Say how far derivation has come, every few seconds while it is behind."""
    behind = False
    while True:
        await asyncio.sleep(_PROGRESS_SECONDS)
        sync = node.sync_status()
        if sync is not None:
            done, all_of = sync.current_l1 - sync.starting_l1, max(1, sync.highest_l1 - sync.starting_l1)
            output.say(
                f"deriving: Bitcoin block {sync.current_l1:,} of {sync.highest_l1:,} ({100 * done // all_of} %), "
                f"block {sync.current_block:,}"
            )
        elif behind:
            output.say(f"in sync at block {node.heads().latest.height:,}", style="green")
        behind = sync is not None


def read_genesis(config: Config) -> Genesis:
    """The chain's genesis file.

    Raises:
        Misconfigured: There is none, or it is of another network.
        Invalid: It cannot be read.
    """
    file = config.genesis or config.folder / "genesis.json"
    try:
        genesis = Genesis.from_json(file.read_bytes())
    except OSError as error:
        text = f"the genesis file cannot be read: {error.strerror}"
        raise Misconfigured(text, option="genesis", value=file, allowed="the genesis file of the chain") from None
    if genesis.network.name != config.network:
        text = f"the genesis file is of {genesis.network.name}"
        raise Misconfigured(text, option="network", value=config.network, allowed=genesis.network.name)
    return genesis


def circuit_of(config: Config) -> bytes:
    """Key of the operator's own Groth16 circuit; empty for the published one.

    Raises:
        Misconfigured: It cannot be read.
    """
    return b"" if config.circuit is None else read_circuit_key(config.circuit)
