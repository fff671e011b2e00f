"""Finished proofs go to a node: by themselves while a prover works, or a file by `bedroll prover submit`.

Reads: proofs and their public values.  Gives: `submit`, `NodeTaker`.
Never: gives a node a proof before it is kept as a file; takes a refusal for an answer that did not come.
Spec: docs/spec/prover.md#hand-over
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import click

from bedroll.api.error import Code
from bedroll.da import Proof, ProofSystem, StatementKind, object_id
from bedroll.derivation.settled import SETTLED_SIZE
from bedroll.derivation.statement import STATEMENT_SIZE
from bedroll.primitives import Invalid, Misconfigured, Unavailable
from bedroll.prover import Finished
from bedroll.prover.service import HandOver
from bedroll.sdk import RpcClient, RpcFailure

from .run import QUIET, Context, declare, run_once

_KINDS: Final = {STATEMENT_SIZE: StatementKind.BATCH, SETTLED_SIZE: StatementKind.SETTLEMENT}
_GROTH16_BYTES: Final = 356
_PROOF_BYTES_MAX: Final = 2 << 20
_WAIT_SECONDS: Final = 5.0
_COME_AGAIN: Final = (Code.UNAUTHORIZED, Code.UNAVAILABLE, Code.LIMIT)
"""What an operator or time mends: the proof is offered again."""
_LOG: Final = logging.getLogger("bedroll.prover")
_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)


def proof_object(values: bytes, proof: bytes) -> Proof:
    """A proof as it stands on Bitcoin.

    Raises:
        Invalid: The values are no statement, or the proof is too large.
    """
    kind = _KINDS.get(len(values))
    if kind is None:
        raise Invalid("public values are no statement", size=len(values), allowed=" or ".join(map(str, _KINDS)))
    if len(proof) > _PROOF_BYTES_MAX:
        raise Invalid("the proof is too large", value=len(proof), limit=_PROOF_BYTES_MAX)
    system = ProofSystem.GROTH16 if len(proof) == _GROTH16_BYTES else ProofSystem.COMPRESSED
    return Proof(statement=kind, system=system, public_values=values, proof=proof)


class NodeTaker:
    """Keeps each finished proof, then offers it to a node until that takes or refuses it.

    A node takes the same proof twice as once, so that a kill between its answer and the queue costs nothing.
    """

    def __init__(
        self, node: RpcClient, keep: HandOver, *, wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Offer to one node.

        Args:
            node: With an API key; open.
            keep: Writes the files.
            wait: Passes the seconds between offers.
        """
        self._node = node
        self._keep = keep
        self._wait = wait

    async def __call__(self, finished: Finished) -> None:
        """Hand over."""
        await self._keep(finished)
        proof = proof_object(finished.values, finished.posted)
        known = {"job": finished.job.id, "object_id": object_id(proof.encode()).hex()}
        while True:
            try:
                await offer(self._node, proof, posts=proof.statement == StatementKind.BATCH)
            except RpcFailure as error:
                if error.code not in _COME_AGAIN:
                    # Of a batch with signatures nobody waits for a proof: it serves settlement, as a file.
                    _LOG.info("the node has no use for a proof", extra=known | {"reason": error.reason})
                    return
                _LOG.warning("the node does not take a proof now", extra=known | {"reason": error.reason})
            except Unavailable as error:
                _LOG.warning("the node does not answer", extra=known | {"reason": str(error)})
            else:
                _LOG.info("the node took a proof", extra=known)
                return
            await self._wait(_WAIT_SECONDS)


async def offer(node: RpcClient, proof: Proof, *, posts: bool) -> str:
    """Give a proof to a node; the object's id.

    Raises:
        RpcFailure: The node refuses it.
        Unavailable: It does not answer.
    """
    return str(await node.call("admin_submitProof", "0x" + proof.encode().hex(), posts))


@declare("submit", "prover.url", "prover.key", "log")
@click.argument("file", type=_FILE)
@click.option("--values", type=_FILE, help="Public values; without it the file's name with .values.")
@click.option("--keep", is_flag=True, help="Of settlement: keep it for light clients alone, post nothing.")
def submit(context: Context, flags: dict[str, object], *, file: Path, values: Path | None, keep: bool) -> None:
    """Give a proof to a node, which posts it to Bitcoin for a fee, or keeps it for light clients."""
    config = context.load(flags, QUIET)
    values = values or file.with_suffix(".values")
    if not values.is_file():
        raise Misconfigured(
            "a proof is given with its public values", option="--values", value=values, allowed="a file of them"
        )
    proof = proof_object(_read(values, max(_KINDS)), _read(file, _PROOF_BYTES_MAX))
    context.output.result(
        run_once(_submit(config.prover.url, config.prover.key, proof, posts=not keep)), title=file.name
    )
    if keep:
        context.output.hint(f"bedroll light --rpc {config.prover.url} checks what it serves now")
    else:
        context.output.hint(f"bedroll inspect object {object_id(proof.encode()).hex()} shows what becomes of it")


async def _submit(url: str, key: str, proof: Proof, *, posts: bool) -> dict[str, Any]:
    async with RpcClient(url, key=key) as node:
        try:
            named = await offer(node, proof, posts=posts)
        except RpcFailure as error:
            if error.code != Code.UNAUTHORIZED:
                raise
            raise Misconfigured(
                error.reason, option="prover.key", value="(hidden)" if key else "", allowed="one of `bedroll key new`"
            ) from None
    statement, system = proof.statement.name.lower(), proof.system.name.lower()
    return {"object": named, "statement": statement, "system": system, "posted": posts}


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most + 1)
