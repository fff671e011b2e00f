# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title BitcoinLightClient
@notice What this chain knows of Bitcoin: one entry for each L1 block that it took as an origin, and
        checks that a transaction stands in such a block.
@dev Stands from genesis. `set_origin` is called by the first transaction of the first block of each
     origin (type 0x7e). Slots 0 to 3 are also written by the core itself, without a call: their order
     must not change (docs/spec/execution.md, "Queue").
"""

struct L1Block:
    block_hash: bytes32
    merkle_root: bytes32
    witness_root: bytes32
    time: uint256
    median_time: uint256
    l1_rate: uint256

SYSTEM_CALLER: constant(address) = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE
DEPTH_MAX: constant(uint256) = 24
TRANSACTION_MAX: constant(uint256) = 32_768

queue_acc: public(bytes32)
queue_enqueued: public(uint256)
queue_done_acc: public(bytes32)
queue_done: public(uint256)

height: public(uint256)
blocks: HashMap[uint256, L1Block]
heights: HashMap[bytes32, uint256]


@external
def set_origin(
    header: Bytes[80], height: uint256, witness_root: bytes32, l1_rate: uint256, median_time: uint256
):
    """
    @notice Take in an L1 block as origin.
    @param header The 80 bytes of its header.
    @param height Its L1 height; one more than the last.
    @param witness_root Root of its wtxids; zero where the block commits to none.
    @param l1_rate Rate of data on Bitcoin, wei a witness byte.
    @param median_time Median time past (BIP-0113), seconds.
    """
    assert msg.sender == SYSTEM_CALLER, "caller is not the system"
    block_hash: bytes32 = sha256(sha256(header))
    self.blocks[height] = L1Block(
        block_hash=block_hash,
        merkle_root=convert(slice(header, 36, 32), bytes32),
        witness_root=witness_root,
        time=self._little_endian(convert(slice(header, 68, 4), uint256)),
        median_time=median_time,
        l1_rate=l1_rate,
    )
    self.heights[block_hash] = height
    self.height = height


@pure
def _little_endian(word: uint256) -> uint256:
    return (
        ((word & 255) << 24) | ((word & 65_280) << 8) | ((word >> 8) & 65_280) | (word >> 24)
    )


@view
@external
def block_at(height: uint256) -> L1Block:
    """
    @notice The origin at an L1 height, hashes in Bitcoin's internal byte order.
    @param height An L1 height that has been an origin.
    """
    assert self.blocks[height].block_hash != empty(bytes32), "no origin at this height"
    return self.blocks[height]


@view
@external
def height_of(block_hash: bytes32) -> uint256:
    """
    @notice L1 height of an origin.
    @param block_hash Its hash, internal byte order.
    """
    found: uint256 = self.heights[block_hash]
    assert found != 0, "no origin has this hash"
    return found


@pure
def _root(leaf: bytes32, index: uint256, path: DynArray[bytes32, DEPTH_MAX]) -> bytes32:
    node: bytes32 = leaf
    place: uint256 = index
    for sibling: bytes32 in path:
        if place & 1 == 0:
            node = sha256(sha256(concat(node, sibling)))
        else:
            # An equal left sibling exists only as the copy of an odd tail (CVE-2012-2459).
            assert sibling != node, "duplicated tail"
            node = sha256(sha256(concat(sibling, node)))
        place = place >> 1
    assert place == 0, "index beyond the tree"
    return node


@view
@external
def includes(
    height: uint256,
    transaction: Bytes[TRANSACTION_MAX],
    index: uint256,
    path: DynArray[bytes32, DEPTH_MAX],
    coinbase: Bytes[TRANSACTION_MAX],
    coinbase_path: DynArray[bytes32, DEPTH_MAX],
) -> bool:
    """
    @notice Whether a transaction stands in the L1 block at `height`.
    @dev The coinbase, shown at the same depth, fixes the depth of the tree, so that neither a 64-byte
         transaction can pass for an inner node nor an inner node for a transaction (CVE-2017-12842).
    @param transaction Serialised without witness.
    @param index Its position in the block.
    @param path Siblings from the leaf to the root, internal byte order.
    @param coinbase The block's first transaction, serialised without witness.
    @param coinbase_path Its siblings.
    """
    root: bytes32 = self.blocks[height].merkle_root
    assert root != empty(bytes32), "no origin at this height"
    assert len(transaction) != 64 and len(coinbase) != 64, "64-byte transaction"
    assert len(path) == len(coinbase_path), "paths of unequal depth"
    return (
        self._root(sha256(sha256(coinbase)), 0, coinbase_path) == root
        and self._root(sha256(sha256(transaction)), index, path) == root
    )
