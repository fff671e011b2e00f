"""One game of `bedroll dispute demo`: two sides, a miner, and what they say as it happens.

Reads: a lie.  Gives: `Demo`.  Never: plays for a side.  Spec: docs/spec/cli.md#dispute
"""

import time
from pathlib import Path
from typing import Final

from bedroll.bitcoin.builder import add_change, build_transaction, sign_transaction
from bedroll.bitcoin.embedded import EmbeddedClient
from bedroll.bitcoin.transaction import Transaction, TxOut
from bedroll.bitvm.game.book import Book
from bedroll.bitvm.game.record import (
    DigitMessage,
    Execute2Message,
    ExecuteMessage,
    HashesMessage,
    InputMessage,
    Message,
    OpeningMessage,
)
from bedroll.bitvm.graph import REGTEST, Party, close_name
from bedroll.bitvm.graph.bond import SEAT_BOND_SAT
from bedroll.bitvm.lie.catalogue import Lie
from bedroll.bitvm.lie.scene import TRUE_WORDS, Scene, data_of
from bedroll.bitvm.player.duel import Duel, Match
from bedroll.bitvm.player.event import Event
from bedroll.bitvm.player.position import Position
from bedroll.bitvm.player.purse import Purse
from bedroll.bitvm.player.strategy import HonestChallenger, HonestProver, Strategy
from bedroll.crypto import sha256
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import FeeRate, Satoshi
from bedroll.riscv import register_name

from .output import Output

_BLOCKS_MAX: Final = 2_000
_RATE: Final = FeeRate(2_000)
_COLOURS: Final = {Party.PROVER: "magenta", Party.CHALLENGER: "green"}


class Demo:
    """One game."""

    def __init__(self, output: Output, folder: Path, lie: Lie | None, exponent: int) -> None:
        self._output, self._folder, self._lie = output, folder, lie
        self._scene = Scene.sample(sha256(b"bedroll dispute demo"), exponent)
        self._client: EmbeddedClient
        self._miner: Purse
        self._duel: Duel
        self._height = 0
        self._sent: dict[str, Event] = {}
        self._bytes = dict.fromkeys((*Party, "children"), 0)

    async def run(self) -> dict[str, object]:
        """Play to the verdict, and on until the gate is spent."""
        self._client = await EmbeddedClient.open(self._folder / "bitcoin")
        try:
            self._miner = Purse(self._client, SecretKey(sha256(b"bedroll dispute miner")))
            await self._client.mine(120, self._miner.script)
            await self._begin()
            position = await self._play()
            await self._settle(position)
            return self._verdict(position)
        finally:
            await self._client.close()

    async def _begin(self) -> None:
        lie, scene = self._lie, self._scene
        self._say_title()
        started = time.monotonic()
        book = Book.build(scene.program, scene.exponent, scene.instance_id)
        match = Match(scene.program, book, REGTEST, scene.instance_id, SEAT_BOND_SAT)
        self._duel = Duel(self._client, self._folder, match, self._note)
        minds: dict[Party, Strategy] = {
            Party.PROVER: HonestProver(scene.true_run, data_of(TRUE_WORDS)),
            Party.CHALLENGER: HonestChallenger(scene.program),
        }
        if lie is not None:
            minds[lie.party] = lie.make(scene)
        await self._duel.begin(minds, self._fund, self._mine)
        graph = self._duel.graph
        leaves = sum(len(output.names) for output in graph.outputs)
        self._output.say(
            f"setup: {len(graph.planned)} transactions, {leaves:,} leaves, {len(graph.slots)} signatures of both "
            f"(MuSig2) in {time.monotonic() - started:.1f} s; bond {SEAT_BOND_SAT:,} sat",
            style="dim",
        )
        assert self._duel.claim is not None
        self._output.say(f"claim  {self._duel.claim.txid[::-1].hex()}  {self._duel.claim.vsize:,} vB", style="dim")

    def _say_title(self) -> None:
        scene, lie = self._scene, self._lie
        shape = f"T = {scene.exponent}, 2^{scene.exponent} steps"
        self._output.say(f"The prover claims: the sample program says yes ({shape}).", style="bold")
        if lie is None:
            self._output.say("Nobody lies.", style="bold")
        else:
            self._output.say(f"The {lie.party.value} lies: {lie.text} ({lie.name}).", style="bold red")

    async def _play(self) -> Position:
        for _ in range(_BLOCKS_MAX):
            self._height = (await self._client.tip()).height
            await self._duel.step()
            position = self._duel.position()
            if position is not None and position.end is not None:
                return position
            await self._mine(1)
        raise AssertionError("a game ends within its windows")

    async def _settle(self, position: Position) -> None:
        """After a win of the challenger: Burn, when its time has come."""
        if position.winner is not Party.CHALLENGER or position.start is None:
            return
        tip = await self._client.tip()
        due = position.start + self._duel.terms.burn_blocks - 1
        if due > tip.height:
            self._output.say(f"… {due - tip.height} blocks later: whatever the claim was to free is burnt", style="dim")
            await self._mine(due - tip.height)
        self._height = (await self._client.tip()).height
        await self._duel.step()
        await self._mine(1)
        await self._duel.step()

    def _verdict(self, position: Position) -> dict[str, object]:
        final = self._duel.position()
        execute = position.record.execute
        ended = self._sent.get(f"take_{position.number}") or self._sent.get(close_name(position.number))
        found: dict[str, object] = {
            "lie": self._lie.name if self._lie is not None else "none",
            "winner": position.winner.value if position.winner is not None else None,
            "decided_by": position.by or "close",
            "because": ended.decides if ended is not None else None,
            "step": execute.row.step if execute is not None else None,
            "moves": len(position.played),
            "prover_vb": self._bytes[Party.PROVER],
            "challenger_vb": self._bytes[Party.CHALLENGER],
            "children_vb": self._bytes["children"],
            "total_vb": self._bytes[Party.PROVER] + self._bytes[Party.CHALLENGER],
            "gate": final.gate if final is not None else None,
        }
        self._duel.close()
        return found

    def _note(self, event: Event) -> None:
        first = event.name not in self._sent
        self._sent[event.name] = event
        if not first:
            return
        self._bytes[event.party] += event.transaction.vsize
        self._bytes["children"] += event.child.vsize if event.child is not None else 0
        deadline = event.deadline
        fields: dict[str, object] = {
            "block": self._height + 1, "party": event.party.value, "move": event.name, "leaf": event.leaf,
            "said": describe(event.said) or event.decides, "txid": event.transaction.txid[::-1].hex(),
            "vbytes": event.transaction.vsize, "fee_sat": event.fee_sat, "deadline": deadline,
        }  # fmt: skip
        if self._output.as_json:
            self._output.line(fields)
            return
        colour = _COLOURS[event.party]
        until = f", due by block {deadline}" if deadline is not None else ""
        self._output.console.print(
            f"[dim]block {self._height + 1:>4}[/dim] [{colour}]{event.party.value:<10}[/{colour}] "
            f"[bold]{event.name:<12}[/bold] {fields['said']}"
        )
        self._output.console.print(
            f"           [dim]{fields['txid']}  {event.transaction.vsize:,} vB, fee {event.fee_sat:,} sat, "
            f"leaf {event.leaf}{until}[/dim]"
        )

    async def _mine(self, count: int) -> None:
        await self._client.mine(count, self._miner.script)

    async def _fund(self, script: bytes, value: Satoshi, count: int) -> Transaction:
        await self._miner.refresh()
        coins = self._miner.inputs()[:1]
        outputs, _ = add_change(coins, [TxOut(value, script)] * count, self._miner.script, _RATE)
        paid = sign_transaction(build_transaction(coins, outputs), coins)
        await self._client.broadcast([paid.raw])
        await self._mine(1)
        return paid


def describe(said: Message | None) -> str:
    """A message in words."""
    match said:
        case InputMessage(data, final):
            return f"input of {len(data)} bytes, last hash {final.hex()[:8]}…"
        case HashesMessage(hashes):
            return f"{len(hashes)} hashes {' '.join(each.hex()[:6] for each in hashes)}"
        case DigitMessage(digit):
            return f"part {digit}"
        case ExecuteMessage(row=row):
            reads = ", ".join(
                f"{register_name(read.addr)} = {read.value:#x} (step {read.last_step})"
                for read in (row.read_1, row.read_2, row.read_3)
                if read.addr
            )
            written = f"{register_name(row.write.addr)} := {row.write.value:#x}" if row.write.addr else "nothing"
            return f"step {row.step}: {row.mnemonic} at {row.read_pc.addr:#x}; reads {reads or 'nothing'}; {written}"
        case OpeningMessage(read, value, digit):
            return f"opens read {read}, {register_name(value.addr)} = {value.value:#x}; part {digit}"
        case Execute2Message(left=left, right=right):
            return f"hashes around the step found: {left.hex()[:8]}… {right.hex()[:8]}…"
    return ""
