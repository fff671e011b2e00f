# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Wrapped bitcoin (xBTC)
@notice Bitcoin, the gas money of this chain, as an ERC-20 token, 1:1, with permit (EIP-2612).
@dev Stands from genesis, so it has no constructor and no immutable.
"""

from ethereum.ercs import IERC20

implements: IERC20

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    value: uint256

event Deposit:
    receiver: indexed(address)
    value: uint256

event Withdrawal:
    sender: indexed(address)
    value: uint256

name: public(constant(String[15])) = "Wrapped bitcoin"
symbol: public(constant(String[4])) = "xBTC"
decimals: public(constant(uint8)) = 18
version: public(constant(String[1])) = "1"

DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
PERMIT_TYPE: constant(bytes32) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
HALF_ORDER: constant(uint256) = 57_896_044_618_658_097_711_785_492_504_343_953_926_418_782_139_537_452_191_302_581_570_759_080_747_168

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
nonces: public(HashMap[address, uint256])


@view
@external
def totalSupply() -> uint256:
    """
    @notice All tokens: what this contract holds in bitcoin.
    """
    return self.balance


@external
@payable
def __default__():
    """
    @notice Bitcoin sent here is wrapped for its sender.
    """
    self._deposit(msg.sender, msg.value)


@external
@payable
def deposit():
    """
    @notice Wrap the bitcoin sent along.
    """
    self._deposit(msg.sender, msg.value)


def _deposit(receiver: address, amount: uint256):
    self.balanceOf[receiver] += amount
    log Deposit(receiver=receiver, value=amount)
    log Transfer(sender=empty(address), receiver=receiver, value=amount)


@external
def withdraw(amount: uint256):
    """
    @notice Unwrap.
    @param amount wei.
    """
    assert self.balanceOf[msg.sender] >= amount, "insufficient balance"
    self.balanceOf[msg.sender] -= amount
    log Withdrawal(sender=msg.sender, value=amount)
    log Transfer(sender=msg.sender, receiver=empty(address), value=amount)
    raw_call(msg.sender, b"", value=amount)


@external
def transfer(receiver: address, amount: uint256) -> bool:
    """
    @notice Send tokens.
    @param receiver Who gets them; neither zero nor this contract, where they would be lost.
    @param amount wei.
    """
    self._transfer(msg.sender, receiver, amount)
    return True


@external
def transferFrom(owner: address, receiver: address, amount: uint256) -> bool:
    """
    @notice Send another's tokens within his allowance; the largest allowance is endless.
    @param owner Whose tokens.
    @param receiver Who gets them.
    @param amount wei.
    """
    allowed: uint256 = self.allowance[owner][msg.sender]
    if allowed != max_value(uint256):
        assert allowed >= amount, "insufficient allowance"
        self._approve(owner, msg.sender, allowed - amount)
    self._transfer(owner, receiver, amount)
    return True


def _transfer(owner: address, receiver: address, amount: uint256):
    assert receiver not in [empty(address), self], "receiver would lose the tokens"
    assert self.balanceOf[owner] >= amount, "insufficient balance"
    self.balanceOf[owner] -= amount
    self.balanceOf[receiver] += amount
    log Transfer(sender=owner, receiver=receiver, value=amount)


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Let another spend one's tokens.
    @param spender Who may.
    @param amount How much, wei.
    """
    self._approve(msg.sender, spender, amount)
    return True


def _approve(owner: address, spender: address, amount: uint256):
    self.allowance[owner][spender] = amount
    log Approval(owner=owner, spender=spender, value=amount)


@view
@external
def DOMAIN_SEPARATOR() -> bytes32:
    """
    @notice Domain of permits (EIP-712).
    """
    return self._domain()


@view
def _domain() -> bytes32:
    return keccak256(
        abi_encode(DOMAIN_TYPE, keccak256(name), keccak256(version), chain.id, self)
    )


@external
def permit(
    owner: address, spender: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32
):
    """
    @notice Set an allowance by signature (EIP-2612).
    @param owner Who signed.
    @param spender Who may spend.
    @param amount How much, wei.
    @param deadline Last second at which the permit counts.
    """
    assert block.timestamp <= deadline, "permit expired"
    assert convert(s, uint256) <= HALF_ORDER, "signature not canonical"
    nonce: uint256 = self.nonces[owner]
    digest: bytes32 = keccak256(
        concat(
            x"1901",
            self._domain(),
            keccak256(abi_encode(PERMIT_TYPE, owner, spender, amount, nonce, deadline)),
        )
    )
    signer: address = ecrecover(digest, v, r, s)
    assert signer != empty(address) and signer == owner, "invalid signature"
    self.nonces[owner] = unsafe_add(nonce, 1)
    self._approve(owner, spender, amount)
