"""`bedroll wallet`: Bitcoin coins that pay for what is posted.

Reads: options, the wallet in the folder.  Gives: `command`.
Never: shows a secret.  Spec: docs/spec/cli.md#wallet
"""

import click

from bedroll.bitcoin.address import decode_address, encode_address
from bedroll.bitcoin.transaction import TxOut
from bedroll.bitcoin.wallet import broadcast_pending
from bedroll.config import Config
from bedroll.primitives import Invalid, Satoshi
from bedroll.protocol import network_named

from .purse import folder_of, make_purse, open_purse
from .run import QUIET, Context, declare, run_once

_SECTIONS = ("network", "folder", "bitcoin", "log")
_TARGET_BLOCKS = 2
_FUND_BLOCKS = 101
"""On regtest: one block that pays, 100 until it can be spent."""


@click.group("wallet")
def command() -> None:
    """Bitcoin coins that pay for what is posted."""


@declare("new", *_SECTIONS, group=command)
def new(context: Context, flags: dict[str, object]) -> None:
    """Make a wallet. Set BEDROLL_KEY_PASSWORD to have its seed encrypted."""
    config = context.load(flags, QUIET)
    run_once(make_purse(config))
    address = run_once(_address(config))
    context.output.result({"folder": str(folder_of(config)), "address": address}, title="wallet")
    if not config.key_password:
        context.output.warn("the seed is not encrypted (mode 0600); BEDROLL_KEY_PASSWORD would do it")
    context.output.hint("pay some coins to the address, then `bedroll wallet balance`")


@declare("address", *_SECTIONS, group=command)
def address(context: Context, flags: dict[str, object]) -> None:
    """Show an address to pay to, a new one each time."""
    context.output.result({"address": run_once(_address(context.load(flags, QUIET)))}, title="wallet")


@declare("balance", *_SECTIONS, group=command)
def balance(context: Context, flags: dict[str, object]) -> None:
    """Show what the coins are worth."""
    config = context.load(flags, QUIET)

    async def ask() -> dict[str, object]:
        async with open_purse(config) as purse:
            found, tip = purse.wallet.balance(), purse.wallet.tip()
            return {
                "l1_height": tip[0] if tip else None,
                "available_sat": found.available,
                "locked_sat": found.locked,
                "immature_sat": found.immature,
                "unconfirmed_sat": found.unconfirmed,
            }

    context.output.result(run_once(ask()), title="wallet")


@declare("send", *_SECTIONS, group=command)
@click.argument("to")
@click.argument("amount_sat", type=click.IntRange(min=1))
def send(context: Context, flags: dict[str, object], to: str, amount_sat: int) -> None:
    """Pay AMOUNT_SAT to the address TO."""
    config = context.load(flags, QUIET)

    async def pay() -> dict[str, object]:
        script = decode_address(to, network_named(config.network))
        async with open_purse(config) as purse:
            rate = await purse.client.fee_rate(_TARGET_BLOCKS)
            payment = purse.wallet.pay([TxOut(Satoshi(amount_sat), script)], rate, purpose="send")
            refused = await broadcast_pending(purse.wallet, purse.client)
            if refused:
                raise refused[0]
            return {"txid": payment.transaction.txid[::-1].hex(), "fee_sat": payment.fee}

    context.output.result(run_once(pay()), title="sent")


@declare("fund", *_SECTIONS, group=command)
def fund(context: Context, flags: dict[str, object]) -> None:
    """Mine coins to the wallet; regtest only. The leader of a running devnet is silent meanwhile."""
    config = context.load(flags, QUIET)
    if network_named(config.network).bitcoin != "regtest":
        raise Invalid("coins are mined on regtest only", network=config.network)

    async def mine() -> dict[str, object]:
        async with open_purse(config) as purse:
            blocks = await purse.client.mine(_FUND_BLOCKS, purse.wallet.receive_script())
            return {"blocks": len(blocks), "tip": blocks[-1][::-1].hex()}

    context.output.result(run_once(mine()), title="mined")
    context.output.hint("`bedroll wallet balance`")


async def _address(config: Config) -> str:
    async with open_purse(config) as purse:
        return encode_address(purse.wallet.receive_script(), network_named(config.network))
