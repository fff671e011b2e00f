"""What Bitcoin's codecs cost on this machine. `python benches/bitcoin.py`"""

import time
from collections.abc import Callable

from bedroll.bitcoin.block import Block, commitment_script
from bedroll.bitcoin.header import Header
from bedroll.bitcoin.merkle import merkle_root
from bedroll.bitcoin.opcode import Opcode
from bedroll.bitcoin.script import build_script, taproot_script
from bedroll.bitcoin.sighash import SighashCache, taproot_sighash
from bedroll.bitcoin.taproot import TaprootOutput
from bedroll.bitcoin.transaction import NULL_OUT_POINT, OutPoint, Transaction, TxIn, TxOut
from bedroll.crypto import schnorr, sha256
from bedroll.crypto.musig2 import KeyAggregate, SecretNonce, Session, aggregate_nonces, sort_keys
from bedroll.crypto.secp256k1 import SecretKey
from bedroll.primitives import BlockHash, Satoshi, Txid
from bedroll.protocol.fee_output import NUMS_KEY

KEY = SecretKey(sha256(b"bench"))
OUTPUT = TxOut(Satoshi(1_000), taproot_script(KEY.x_only))


def best(name: str, work: Callable[[], object], count: int = 1, rounds: int = 5) -> None:
    """Print the best of some rounds, in milliseconds an item."""
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    print(f"{name:<52} {min(seconds) / count * 1e3:10.4f} ms")


def transaction(
    number: int, witness: tuple[bytes, ...] = (bytes(64),), inputs: int = 1, outputs: int = 2
) -> Transaction:
    """One of many, all different."""
    names = [OutPoint(Txid(sha256(b"%d %d" % (number, at))), at) for at in range(inputs)]
    return Transaction(tuple(TxIn(name, witness=witness) for name in names), (OUTPUT,) * outputs)


def block(count: int) -> bytes:
    """A block of ordinary payments."""
    rest = [transaction(number) for number in range(count)]
    outputs = (OUTPUT, TxOut(Satoshi(0), commitment_script(rest)))
    coinbase = Transaction((TxIn(NULL_OUT_POINT, b"\x01\x01", witness=(bytes(32),)),), outputs)
    root = merkle_root([coinbase.txid, *(each.txid for each in rest)])
    return Block(Header(4, BlockHash(bytes(32)), root, 0, 0x207FFFFF, 0), (coinbase, *rest)).raw


def sign_together(count: int) -> bytes:
    """A group signature."""
    keys = {key.public: key for key in (SecretKey(sha256(b"signer %d" % at)) for at in range(count))}
    group, message = KeyAggregate(sort_keys(list(keys))), sha256(b"message")
    nonces = [SecretNonce(keys[key], sha256(b"nonce" + key), aggregate=group) for key in group.keys]
    session = Session(group, aggregate_nonces([nonce.public for nonce in nonces]), message)
    return session.aggregate([session.sign(nonce, keys[nonce.key]) for nonce in nonces])


def main() -> None:
    """Run all."""
    reveal = transaction(1, (bytes(64), bytes(392_000), bytes(65))).raw
    best("parse a reveal of 392 kB", lambda: [Transaction.parse(reveal) for _ in range(20)], 20)
    best("parse it and hash its wtxid", lambda: [Transaction.parse(reveal).wtxid for _ in range(20)], 20)
    raw = block(4_000)
    best(f"parse a block of 4,000 payments ({len(raw):,} B)", lambda: Block.parse(raw))
    best("parse and check it", lambda: Block.parse(raw).check())
    large = transaction(2, inputs=100, outputs=100)
    cache = SighashCache(large, [OUTPUT] * 100)
    best("sighash, one of 100 inputs", lambda: [taproot_sighash(cache, at) for at in range(100)], 100)
    digest = sha256(b"message")
    signature = schnorr.sign(KEY, digest)
    best("sign", lambda: [schnorr.sign(KEY, digest) for _ in range(100)], 100)
    best("verify", lambda: [schnorr.verify(KEY.x_only, digest, signature) for _ in range(100)], 100)
    scripts = [build_script(KEY.x_only, Opcode.OP_CHECKSIGVERIFY, at + 1) for at in range(10_000)]
    best("tree of 10,000 leaves", lambda: TaprootOutput.build(NUMS_KEY, scripts))
    output = TaprootOutput.build(NUMS_KEY, scripts)
    best("one control block of it", lambda: [output.control_block(at) for at in range(1_000)], 1_000)
    best("MuSig2 of 15 signers, all rounds", lambda: sign_together(15))


if __name__ == "__main__":
    main()
