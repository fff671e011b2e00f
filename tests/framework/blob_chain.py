"""A short chain of Ethereum's own that knows blobs, and transactions with blobs for it.

Reads: tests/vectors/{ethereum/system_contracts,eip4844/random_blob}.json.  Gives: `open_blob_chain`, `BlobForm`.

No proof is computed here. The polynomial of a blob whose elements are all the same is constant, so that its commitment
is that multiple of the generator, and every proof of it is the point at infinity. The proofs of a blob of unlike
elements are kept as vectors.
"""

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from bedroll.execution.engine import Block, Engine
from bedroll.protocol import REGTEST
from tests.framework.ethereum_chain import EthereumChain
from tests.framework.evm_case import address_of, signature
from tests.reference.merkle_patricia import keccak, rlp, secure_root

SYSTEM = json.loads((Path(__file__).parents[1] / "vectors/ethereum/system_contracts.json").read_text())
CHAIN_ID = 17
KEY = 1
POOR = 2
START = 1_700_000_000
GAS_LIMIT = 36_000_000
TELLER = bytes(19) + b"\xfe"
"""Logs what a blob gas costs."""
TELLER_CODE = bytes.fromhex("4a5f5260205fa000")
BURNER = bytes(19) + b"\xfd"
"""Uses more gas where a blob gas costs more than 1 wei: it keeps the price in its slot 0 then."""
BURNER_CODE = bytes.fromhex("4a600110600857005b4a5f5500")
FUNDS = 10**24
LIMITS = {"Prague": (6, 9, 5_007_716), "Osaka": (14, 21, 11_684_671)}
BLOB_SIZE = 131_072
CELLS = 128
INFINITY = b"\xc0" + bytes(47)
GENERATOR = bytes.fromhex(
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
)
KEPT = json.loads((Path(__file__).parents[1] / "vectors/eip4844/random_blob.json").read_text())
RANDOM = (
    b"".join(b"\0" + sha256(b"blob" + place.to_bytes(4, "big")).digest()[1:] for place in range(BLOB_SIZE // 32)),
    bytes.fromhex(KEPT["commitment"][2:]),
)
RANDOM_PROOF = (bytes.fromhex(KEPT["proof"][2:]),)
RANDOM_CELL_PROOFS = tuple(bytes.fromhex(proof[2:]) for proof in KEPT["cell_proofs"])
ZEROS = bytes(BLOB_SIZE), INFINITY
ONES = (bytes(31) + b"\x01") * (BLOB_SIZE // 32), GENERATOR


def _accounts():
    codes = {bytes.fromhex(address[2:]): bytes.fromhex(code[2:]) for address, code in SYSTEM.items()}
    codes |= {TELLER: TELLER_CODE, BURNER: BURNER_CODE}
    return {address: (0, code) for address, code in codes.items()} | {address_of(KEY): (FUNDS, b"")}


def _state_root(accounts):
    empty = keccak(rlp(b""))
    return secure_root(
        {address: rlp([0, balance, empty, keccak(code)]) for address, (balance, code) in accounts.items()}
    )


def _header(accounts, excess):
    nothing = keccak(rlp(b""))
    return rlp(
        [
            bytes(32), keccak(rlp([])), bytes(20), _state_root(accounts), nothing, nothing, bytes(256), 0, 0,
            GAS_LIMIT, 0, START, b"", bytes(32), bytes(8), 7, nothing, 0, excess, bytes(32), sha256(b"").digest(),
        ]
    )  # fmt: skip


def open_blob_chain(folder: Path, fork: str = "Osaka", excess: int = 0) -> EthereumChain:
    """A chain of block 0 alone, whose rules are a fork's and whose blobs have this excess."""
    accounts = _accounts()
    target, most, fraction = LIMITS[fork]
    nobody = "0x" + "00" * 20
    core = {
        "config": {
            "chain_id": CHAIN_ID, "network": 0, "profile": "ethereum", "block_gas_limit": GAS_LIMIT,
            **dict.fromkeys(("forced_gas_limit", "forced_message_gas_limit", "forced_gas_min"), 0),
            **dict.fromkeys(("forced_size_max", "max_origin_lag", "second_blocks_max", "origin_blocks_max"), 0),
            "transfer_bytes": 0,
            **dict.fromkeys(("base_fee_vault", "tip_vault", "light_client", "address_book"), nobody),
            "anchor": {"height": 0, "hash": "0x" + "00" * 32},
            "l1_rate": 0,
        },
        "timestamp": START,
        "base_fee": 7,
        "alloc": {
            "0x" + address.hex(): {"balance": hex(balance), "code": "0x" + code.hex() if code else ""}
            for address, (balance, code) in accounts.items()
        },
        "ethereum": {
            "header": "0x" + _header(accounts, excess).hex(),
            "forks": [{"name": fork, "time": 0}],
            "blobs": [{"time": 0, "target": target, "max": most, "update_fraction": fraction}],
            "deposit_contract": None,
        },
    }  # fmt: skip
    engine = Engine.open(str(folder), json.dumps(core), map_size_bytes=1 << 28, sync=False)
    return EthereumChain(engine, [], network=replace(REGTEST, chain_id=CHAIN_ID))


def signed(kind: int, fields: list, key: int = KEY) -> bytes:
    """A typed transaction."""
    parity, r, s = signature(key, keccak(bytes([kind]) + rlp(fields)))
    return bytes([kind]) + rlp([*fields, parity, r, s])


def call(to: bytes, nonce: int = 0) -> bytes:
    """A call of type 2."""
    return signed(2, [CHAIN_ID, nonce, 1, 10**9, 200_000, to, 0, b"", []])


def add_block(chain: EthereumChain, *raws: bytes) -> Block:
    """Make a block of these and take it in."""
    time = hex(chain.engine.tip().timestamp + 12)
    attributes = {"timestamp": time, "prevRandao": "0x" + "00" * 32, "suggestedFeeRecipient": "0x" + "00" * 20}
    view = chain.engine.view()
    decoded = [chain.decode(raw, view) for raw in raws]
    block, _ = view.build_block(json.dumps(attributes), decoded, leaves_out=False, changes_max=1_000)
    return chain.engine.import_block(block_rlp(block))


def block_rlp(block: Block) -> bytes:
    """A block with its transactions, no uncles and no withdrawals."""
    listed = [rlp(one.raw) if one.kind else one.raw for one in block.transactions]
    payload = block.header.rlp + _list(b"".join(listed)) + b"\xc0\xc0"
    return _list(payload)


def _list(payload: bytes) -> bytes:
    size = len(payload)
    if size < 56:
        return bytes([0xC0 + size]) + payload
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0xF7 + len(digits)]) + digits + payload


@dataclass(frozen=True, kw_only=True)
class BlobForm:
    """A transaction with blobs in its parts; the first two say what the others are where those are not given."""

    blobs: tuple[tuple[bytes, bytes], ...] = (ZEROS,)
    has_cell_proofs: bool = True
    key: int = KEY
    nonce: int = 0
    cap: int = 10**9
    tip: int = 1
    gas: int = 21_000
    blob_cap: int = 10**9
    version: bytes = b"\x01"
    hashes: tuple[bytes, ...] | None = None
    bodies: tuple[bytes, ...] | None = None
    commitments: tuple[bytes, ...] | None = None
    proofs: tuple[bytes, ...] | None = None
    more: tuple[bytes, ...] = ()

    def transaction(self) -> bytes:
        """As it stands in a block."""
        hashes = self.hashes
        if hashes is None:
            hashes = tuple(b"\x01" + sha256(commitment).digest()[1:] for _, commitment in self.blobs)
        to = address_of(POOR)
        fields = [CHAIN_ID, self.nonce, self.tip, self.cap, self.gas, to, 0, b"", [], self.blob_cap, list(hashes)]
        return signed(3, fields, self.key)

    def network(self) -> bytes:
        """As a wallet hands it in."""
        bodies = self.bodies if self.bodies is not None else tuple(body for body, _ in self.blobs)
        commitments = self.commitments
        if commitments is None:
            commitments = tuple(commitment for _, commitment in self.blobs)
        proofs = self.proofs
        if proofs is None:
            proofs = (INFINITY,) * (len(self.blobs) * (CELLS if self.has_cell_proofs else 1))
        version = rlp(self.version) if self.has_cell_proofs else b""
        beside = version + b"".join(rlp(list(part)) for part in (bodies, commitments, proofs, *self.more))
        return b"\x03" + _list(self.transaction()[1:] + beside)
