"""Stage 2: objects of an L1 block in order, and who may speak.

Reads: the scan of an L1 block.  Gives: `Item`s; the leader's key by L1 height.
Never: looks at the derived chain.  Spec: docs/spec/derivation.md#object-source
"""

from collections.abc import Iterator

import msgspec

from bedroll.crypto import sha256
from bedroll.da import Rotate, Upgrade, parse_object
from bedroll.primitives import Invalid, L1Height, Misconfigured
from bedroll.protocol import Network

from .item import Item, Notes
from .l1_traversal import L1Block
from .record import EnvelopeRejected, LeaderRotated, ObjectJudged, Place, UpgradeAnnounced
from .stage import Stage
from .verdict import Pending, Rejected

KNOWN_UPGRADES: tuple[int, ...] = ()
"""Numbers of the upgrades whose rules this version holds."""


class UnknownUpgrade(Misconfigured):
    """An upgrade is active that this version does not know: the operator installs one that does."""


class PendingRotation(msgspec.Struct, frozen=True):
    """A key that leads from an L1 height on."""

    active_from: int
    key: bytes


class PendingUpgrade(msgspec.Struct, frozen=True):
    """An upgrade that becomes active at an L1 height."""

    active_from: int
    number: int


class KeyState(msgspec.Struct, frozen=True):
    """Keys and upgrades as inscribed so far.

    Attributes:
        leader: Key that led last.
        rotations: Not yet active ones, in order.
        rotation_number: Highest n of a `Rotate` included, 0 at first.
        upgrades: Not yet active ones, in order.
        upgrade_number: Highest n of an `Upgrade` included, 0 at first.
    """

    leader: bytes
    rotations: tuple[PendingRotation, ...]
    rotation_number: int
    upgrades: tuple[PendingUpgrade, ...]
    upgrade_number: int


class ObjectSource(Stage[KeyState]):
    """Parses envelopes; applies `Rotate` and `Upgrade`, whose rules need nothing but L1 and the cold keys."""

    def __init__(
        self, network: Network, leader_key: bytes, rotation_key: bytes, upgrade_key: bytes, anchor: L1Height
    ) -> None:
        start = KeyState(leader=leader_key, rotations=(), rotation_number=0, upgrades=(), upgrade_number=0)
        super().__init__(start, anchor)
        self._network = network
        self._rotation_key = rotation_key
        self._upgrade_key = upgrade_key

    @property
    def leader(self) -> bytes:
        """x-only key that leads at the newest L1 height."""
        return self.state.leader

    def open_block(self, height: L1Height) -> None:
        """Begin L1 block `height`: rotations and upgrades whose height has come take effect.

        Raises:
            UnknownUpgrade: One of them is not in `KNOWN_UPGRADES`.
        """
        leader = self.state.leader
        for rotation in self.state.rotations:
            if rotation.active_from <= height:
                leader = rotation.key
        for upgrade in self.state.upgrades:
            if upgrade.active_from <= height and upgrade.number not in KNOWN_UPGRADES:
                raise UnknownUpgrade(
                    f"upgrade {upgrade.number} is active: install a version that knows it",
                    active_from=upgrade.active_from,
                    option="version",
                    value=upgrade.number,
                    allowed=", ".join(map(str, KNOWN_UPGRADES)) or "no upgrade",
                )
        self.state = msgspec.structs.replace(
            self.state,
            leader=leader,
            rotations=tuple(rotation for rotation in self.state.rotations if rotation.active_from > height),
            upgrades=tuple(upgrade for upgrade in self.state.upgrades if upgrade.active_from > height),
        )

    def advance(self, block: L1Block, notes: Notes) -> Iterator[Item]:
        """Objects in the order of L1; rotations and upgrades end here."""
        for transaction in block.scan.relevant:
            for input_index, raw, reason in transaction.objects:
                place = Place(block.record.height, transaction.index, input_index)
                if raw is None:
                    notes.add(EnvelopeRejected(place=place, txid=transaction.txid, reason=reason))
                    continue
                try:
                    found = parse_object(raw)
                except Invalid as error:
                    notes.add(EnvelopeRejected(place=place, txid=transaction.txid, reason=str(error)))
                    continue
                item = Item(
                    place=place,
                    txid=transaction.txid,
                    wtxid=transaction.wtxid,
                    fee_sat=transaction.fee_paid,
                    raw=raw,
                    object_id=bytes(sha256(raw)),
                    object=found,
                )
                notes.add(item.seen())
                yield item

    def rotate(self, item: Item, rotate: Rotate, notes: Notes) -> None:
        """Take a `Rotate`, or refuse it."""
        refused = self._refusal(rotate.network, rotate.n, self.state.rotation_number)
        if refused is None and not rotate.is_signed_by(self._rotation_key):
            refused = "it is not signed by the rotation key"
        if refused is not None:
            notes.add(ObjectJudged(item.place.height, item.place, item.object_id, Rejected(refused)))
            return
        active_from = item.place.height + self._network.parameters.finality_depth
        self.state = msgspec.structs.replace(
            self.state,
            rotations=(*self.state.rotations, PendingRotation(active_from, rotate.key)),
            rotation_number=rotate.n,
        )
        notes.add(
            LeaderRotated(
                place=item.place,
                object_id=item.object_id,
                number=rotate.n,
                key=rotate.key,
                active_from=active_from,
            )
        )
        waiting = Pending(f"the key leads from L1 height {active_from} on")
        notes.add(ObjectJudged(item.place.height, item.place, item.object_id, waiting))

    def upgrade(self, item: Item, upgrade: Upgrade, notes: Notes) -> None:
        """Take an `Upgrade`, or refuse it."""
        refused = self._refusal(upgrade.network, upgrade.n, self.state.upgrade_number)
        earliest = item.place.height + self._network.parameters.upgrade_delay
        if refused is None and upgrade.activation_height < earliest:
            refused = f"it would be active at L1 height {upgrade.activation_height}, earliest is {earliest}"
        if refused is None and not upgrade.is_signed_by(self._rotation_key, self._upgrade_key):
            refused = "it is not signed by both the rotation key and the upgrade key"
        if refused is not None:
            notes.add(ObjectJudged(item.place.height, item.place, item.object_id, Rejected(refused)))
            return
        self.state = msgspec.structs.replace(
            self.state,
            upgrades=(*self.state.upgrades, PendingUpgrade(upgrade.activation_height, upgrade.n)),
            upgrade_number=upgrade.n,
        )
        notes.add(
            UpgradeAnnounced(
                place=item.place, object_id=item.object_id, number=upgrade.n, active_from=upgrade.activation_height
            )
        )
        waiting = Pending(f"active from L1 height {upgrade.activation_height} on")
        notes.add(ObjectJudged(item.place.height, item.place, item.object_id, waiting))

    def _refusal(self, network: int, number: int, highest: int) -> str | None:
        if network != self._network.number:
            return f"it is for network {network}, not {self._network.number}"
        if number <= highest:
            return f"its number {number} is not above {highest}"
        return None
