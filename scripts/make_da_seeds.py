"""Write tests/vectors/da/seeds.json: valid blocks, leaf scripts, objects and bodies that fuzzing starts from.

Bodies among them pin the codec: a change of the format must change this file, and the codec's version with it.
"""

import hashlib
import json
import random
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bedroll.da import (  # noqa: E402
    Batch,
    BatchHeader,
    Carrier,
    Commitment,
    Forced,
    Proof,
    ProofSystem,
    Rotate,
    StatementKind,
    Upgrade,
    build_leaf,
    split,
)
from bedroll.da.codec import ChainTable, encode_body  # noqa: E402
from tests.framework import l1_block  # noqa: E402
from tests.reference.da_fuzz import SEEDS, TAG  # noqa: E402
from tests.unit.da.test_codec import CHAIN_ID, PARENT_TIME, every_kind, spread  # noqa: E402


def main() -> None:
    """Make all seeds; the same in every run."""
    source = random.Random(1)
    kinds = every_kind()
    senders = sorted({sender for sender, _ in kinds})
    chain = {
        "chain_id": CHAIN_ID,
        "timestamp": PARENT_TIME,
        "book": [address.hex() for address in [*senders[:4], b"\xc0" * 20]],
        "nonces": {senders[0].hex(): 5},
    }
    table = ChainTable(
        chain_id=CHAIN_ID,
        parent_timestamp=PARENT_TIME,
        book=b"".join(map(bytes.fromhex, chain["book"])),
        nonces=[(senders[0], 5)],
    )
    picks = [kinds[:2], kinds[3:5], kinds[6:7], kinds[8:9], kinds[10:13], kinds[13:14], kinds[14:15], kinds[15:16]]
    bodies = [
        encode_body(table, spread(pick, blocks)) for pick, blocks in zip(picks, (1, 2, 1, 3, 2, 1, 1, 1), strict=True)
    ]
    body = bodies[0]
    header = BatchHeader(
        network=3,
        parent_l2_hash=source.randbytes(32),
        first_height=77,
        block_count=300,
        first_origin=1_000,
        last_origin=1_001,
        tip_l2_hash=source.randbytes(32),
        body_hash=hashlib.sha256(body).digest(),
    )
    objects = [
        Batch(header=header, leader_key=source.randbytes(32), signature=source.randbytes(64), body=body),
        Commitment(
            parent_tip=source.randbytes(32),
            new_tip=source.randbytes(32),
            block_count=5,
            last_origin=9,
            anchor_hash=source.randbytes(32),
            signature=source.randbytes(64),
        ),
        Forced(network=3, payload=kinds[0][1]),
        *split(source.randbytes(400), 90)[2:5],
        *split(source.randbytes(64), 40),
        Proof(
            statement=StatementKind.BATCH,
            system=ProofSystem.GROTH16,
            public_values=source.randbytes(40),
            proof=source.randbytes(356),
        ),
        Rotate(network=3, n=1, key=source.randbytes(32), signature=source.randbytes(64)),
        Upgrade(
            network=3,
            n=1,
            rules=source.randbytes(32),
            activation_height=99,
            rotation_signature=source.randbytes(64),
            upgrade_signature=source.randbytes(64),
        ),
    ]
    raws = [each.encode() for each in objects]
    leaves = [build_leaf(source.randbytes(32), raw, 7, carrier) for raw in raws[:4] for carrier in Carrier]
    blocks = [
        l1_block.block([l1_block.reveal(leaf, tag=TAG, before=([b"\x01" * 64],) * extra), l1_block.transaction([[]])])
        for extra, leaf in enumerate(leaves[2:4])
    ]
    blocks.append(l1_block.block([l1_block.transaction([[]], salt=salt) for salt in range(4)], commit=False))
    found = {
        "chain": chain,
        "envelope": [leaf.hex() for leaf in leaves],
        "object": [raw.hex() for raw in raws],
        "block": [block.hex() for block in blocks],
        "transaction": [[sender.hex(), raw.hex()] for sender, raw in kinds if len(raw) < 600],
        "body": [each.hex() for each in bodies],
    }
    SEEDS.parent.mkdir(parents=True, exist_ok=True)
    SEEDS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
