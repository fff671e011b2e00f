# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title AddressBook
@notice The index of every address that has stood in an included transaction, in order of appearance.
        Batches on Bitcoin name addresses by it.
@dev Stands from genesis and is written by the core alone, after the last transaction of each block:
     slot 0 and the map at slot 1 must stay where they are. Only this direction is in the state: since
     no two addresses share an index, it also proves the other one.
"""

length: public(uint256)
entries: HashMap[address, uint256]


@view
@external
def contains(who: address) -> bool:
    """
    @notice Whether an address has an index.
    @param who The address.
    """
    return self.entries[who] != 0


@view
@external
def index_of(who: address) -> uint256:
    """
    @notice Index of an address, counted from 0.
    @param who An address that the book contains.
    """
    entry: uint256 = self.entries[who]
    assert entry != 0, "address is not in the book"
    return entry - 1
