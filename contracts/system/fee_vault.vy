# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title FeeVault
@notice Holds fees until anyone sends them to the recipient that genesis names.
@dev Stands from genesis, once for base fees and once for tips. Slot 0 is written by genesis.
"""

recipient: public(address)
paid: public(uint256)

event Withdrawal:
    recipient: indexed(address)
    amount: uint256


@external
@payable
def __default__():
    """
    @notice Anyone may add to the vault.
    """
    pass


@external
def withdraw() -> uint256:
    """
    @notice Send all that the vault holds to its recipient.
    @return amount What was sent, wei.
    """
    amount: uint256 = self.balance
    self.paid += amount
    log Withdrawal(recipient=self.recipient, amount=amount)
    raw_call(self.recipient, b"", value=amount)
    return amount
