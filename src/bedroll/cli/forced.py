"""`bedroll forced`: a transaction through Bitcoin, whatever the leader does. Needs a Bitcoin node and a few coins.

Reads: a signed transaction, the wallet in the folder.  Gives: `command`, `check_payload`, `message_ids`.
Never: asks the leader for anything.  Spec: docs/spec/cli.md#forced
"""

from typing import Any, Final

import click

from bedroll.config import Config
from bedroll.da import Forced
from bedroll.da.writer import PostingState, Writer
from bedroll.derivation.forced_queue import forced_id
from bedroll.execution.engine import Transaction, decode_transaction
from bedroll.primitives import Invalid
from bedroll.protocol import Network, network_named
from bedroll.sdk import RpcClient

from .purse import Purse, open_purse
from .run import QUIET, Context, declare, run_once

_SECTIONS: Final = ("network", "folder", "bitcoin", "log")
_KINDS: Final = (0, 1, 2, 4)
_WAIT_SECONDS: Final = 60.0


@click.group("forced")
def command() -> None:
    """Force a transaction through Bitcoin, whatever the leader does."""


@declare("send", *_SECTIONS, group=command)
@click.argument("raw")
@click.option("--wait", is_flag=True, help="Wait until a Bitcoin block holds it, paying more where it takes long.")
def send(context: Context, flags: dict[str, object], raw: str, *, wait: bool) -> None:
    """Post a signed transaction of this chain. RAW is its hexadecimal form, as eth_sendRawTransaction takes it."""
    config = context.load(flags, QUIET)
    network = network_named(config.network)
    transaction = check_payload(raw, network)
    shown = run_once(_post(config, network, transaction, wait=wait))
    context.output.result(shown, title="forced message")
    window = network.parameters
    blocks = window.proof_ttl + window.finality_depth + window.max_origin_lag + window.auto_block_window
    context.output.say(f"It is in the chain at most {blocks} Bitcoin blocks after the one that holds it.")
    context.output.hint("`bedroll forced status MESSAGE_ID`, with the id shown above")


@declare("status", *_SECTIONS, group=command)
@click.argument("message")
@click.option(
    "--rpc", "url", default="http://127.0.0.1:8545", envvar="BEDROLL_NODE_URL", show_default=True, help="Node to ask."
)
def status(context: Context, flags: dict[str, object], message: str, url: str) -> None:
    """Ask a node what became of a forced message, by its id."""
    context.load(flags, QUIET)

    async def ask() -> Any:
        async with RpcClient(url) as client:
            return await client.call("bedroll_getForced", message if message.startswith("0x") else "0x" + message)

    context.output.result(run_once(ask()), title="forced message")


def check_payload(raw: str, network: Network) -> Transaction:
    """See that derivation would not find the message ineligible.

    Raises:
        Invalid: It would, with the reason: the fee would be lost.
    """
    try:
        payload = bytes.fromhex(raw.removeprefix("0x"))
    except ValueError:
        raise Invalid("the transaction is not hexadecimal", characters=len(raw)) from None
    limits = network.parameters
    if len(payload) > limits.forced_size_max:
        raise Invalid("the transaction is too large", size_bytes=len(payload), limit=limits.forced_size_max)
    transaction = decode_transaction(payload)
    if transaction.kind not in _KINDS:
        raise Invalid("a transaction of this type cannot be forced", type=transaction.kind)
    if transaction.chain_id != network.chain_id:
        raise Invalid("the transaction is of another chain", chain_id=transaction.chain_id, expected=network.chain_id)
    if transaction.gas_limit > limits.forced_message_gas_limit:
        raise Invalid(
            "the gas limit is too high for a forced message",
            gas_limit=transaction.gas_limit,
            limit=limits.forced_message_gas_limit,
        )
    if transaction.gas_limit < transaction.intrinsic_gas:
        raise Invalid(
            "the gas limit is too low", gas_limit=transaction.gas_limit, intrinsic_gas=transaction.intrinsic_gas
        )
    return transaction


def put_forced(writer: Writer, network: Network, payload: bytes) -> bytes:
    """Queue a forced message for posting; its object id."""
    body = Forced(network=network.number, payload=payload).encode()
    return writer.put(body, "forced", fee_output_sat=network.parameters.forced_fee)


def message_ids(writer: Writer, network: Network, object_id: bytes) -> list[bytes]:
    """Id of the message that each reveal of a posting carries: one, but for replaced reveals."""
    posting = writer.find(object_id)
    if posting is None:
        return []
    reveals = [payment.transaction for payment in writer.transactions(posting)[1:]]
    return [forced_id(network.number, reveal.wtxid) for reveal in reveals]


async def _post(config: Config, network: Network, transaction: Transaction, *, wait: bool) -> dict[str, object]:
    async with open_purse(config) as purse:
        named = put_forced(purse.writer, network, transaction.raw)
        await purse.writer.step()
        while wait and not _settled(purse, named):
            await _next_block(purse)
            await purse.writer.step()
        posting = purse.writer.find(named)
        if posting is None or posting.state is PostingState.QUEUED:
            raise Invalid("the message is queued but cannot be sent", reason=posting.reason if posting else "")
        return {
            "object_id": "0x" + named.hex(),
            "message_ids": ["0x" + one.hex() for one in message_ids(purse.writer, network, named)],
            "transaction_hash": "0x" + transaction.hash.hex(),
            "sender": "0x" + transaction.sender.hex(),
            "state": str(posting.state),
            "txids": [payment.transaction.txid[::-1].hex() for payment in purse.writer.transactions(posting)],
            "l1_height": purse.writer.confirmed_height(posting),
            "fee_sat": network.parameters.forced_fee
            + sum(payment.fee for payment in purse.writer.transactions(posting)),
        }


def _settled(purse: Purse, named: bytes) -> bool:
    posting = purse.writer.find(named)
    return posting is None or posting.state in (PostingState.CONFIRMED, PostingState.BURIED, PostingState.CANCELLED)


async def _next_block(purse: Purse) -> None:
    tip = purse.writer.tip()
    if tip is not None:
        await purse.client.wait_for_tip(tip[1], _WAIT_SECONDS)
