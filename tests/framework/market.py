"""Contracts that everybody uses, put together as they are used: exchanges, a shared wallet, an account, a permit."""

from dataclasses import dataclass

from eth_account import Account
from eth_account.signers.local import LocalAccount

from bedroll._core._native import Receipt
from bedroll.protocol import REGTEST, SAFE_DEPLOYER
from tests.framework.ledger import TIMESTAMP_FIRST, Ledger
from tests.framework.official import Official, creation, deploy_at_salt, shown

ONE = 10**18
FOREVER = TIMESTAMP_FIRST + 10**9
NOBODY = shown(bytes(20))
SUPPLY = 10**6 * ONE

POOL_FEE = 3_000
"""Millionths that a Uniswap v3 pool takes of what comes in."""
WHOLE_RANGE = (-887_220, 887_220)
PRICE_ONE = 1 << 96
"""Square root of price 1, as the pools write it."""

ENTRY_SALT = bytes.fromhex("0a59dbff790c23c976a548690c27297883cc66b4c67024f9117b0238995e35e9")
ENTRY_ADDRESS = bytes.fromhex("4337084d9e255ff0702461cf8895ce9e3b5ff108")

PERMIT_SALT = bytes.fromhex("0000000000000000000000000000000000000000d3af2663da51c10215000000")
PERMIT_ADDRESS = bytes.fromhex("000000000022d473030f116ddee9f6b43ac78ba3")
PERMIT_FUNCTION = "permitTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes)"
_PERMIT_TYPES = {
    "PermitTransferFrom": [
        {"name": "permitted", "type": "TokenPermissions"},
        {"name": "spender", "type": "address"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ],
    "TokenPermissions": [{"name": "token", "type": "address"}, {"name": "amount", "type": "uint256"}],
}


def token_of(ledger: Ledger, owner: LocalAccount, supply: int = SUPPLY) -> bytes:
    """The project's own token, all of it the owner's."""
    return ledger.deploy(owner, "demo_token", supply.to_bytes(32, "big"))


@dataclass
class ExchangeV2:
    """Uniswap v2 with a token; the owner has allowed the router to take it."""

    factory: Official
    router: Official
    wrapped: Official
    token: bytes

    @classmethod
    def open(cls, ledger: Ledger, owner: LocalAccount) -> "ExchangeV2":
        """Deploy everything."""
        wrapped = Official.deploy(ledger, owner, "uniswap_v2/WETH9")
        factory = Official.deploy(ledger, owner, "uniswap_v2/UniswapV2Factory", owner.address)
        router = Official.deploy(ledger, owner, "uniswap_v2/UniswapV2Router02", factory.hex, wrapped.hex)
        token = token_of(ledger, owner)
        ledger.send(owner, token, "approve(address,uint256)", router.hex, 2**256 - 1)
        return cls(factory, router, wrapped, token)

    @property
    def path(self) -> list[str]:
        """From bitcoin to the token."""
        return [self.wrapped.hex, shown(self.token)]

    def add(self, owner: LocalAccount, tokens: int, wei: int) -> Receipt:
        """Add liquidity, and the pool if there is none."""
        return self.router.send(
            owner, "addLiquidityETH", shown(self.token), tokens, 0, 0, owner.address, FOREVER, value=wei
        )

    def buy(self, trader: LocalAccount, wei: int) -> Receipt:
        """Tokens for bitcoin."""
        return self.router.send(trader, "swapExactETHForTokens", 0, self.path, trader.address, FOREVER, value=wei)


@dataclass
class ExchangeV3:
    """Uniswap v3 with two tokens in their order, all of them the owner's, at price 1."""

    factory: Official
    positions: Official
    router: Official
    quoter: Official
    first: bytes
    second: bytes

    @classmethod
    def open(cls, ledger: Ledger, owner: LocalAccount) -> "ExchangeV3":
        """Deploy everything, and make the pool."""
        wrapped = Official.deploy(ledger, owner, "uniswap_v2/WETH9")
        factory = Official.deploy(ledger, owner, "uniswap_v3/UniswapV3Factory")
        where = (factory.hex, wrapped.hex)
        positions = Official.deploy(ledger, owner, "uniswap_v3/NonfungiblePositionManager", *where, NOBODY)
        router = Official.deploy(ledger, owner, "uniswap_v3/SwapRouter", *where)
        quoter = Official.deploy(ledger, owner, "uniswap_v3/Quoter", *where)
        first, second = sorted(token_of(ledger, owner) for _ in range(2))
        for token in (first, second):
            for spender in (positions, router):
                ledger.send(owner, token, "approve(address,uint256)", spender.hex, 2**256 - 1)
        positions.send(owner, "createAndInitializePoolIfNecessary", shown(first), shown(second), POOL_FEE, PRICE_ONE)
        return cls(factory, positions, router, quoter, first, second)

    def mint(self, owner: LocalAccount, amount: int) -> int:
        """Open a position over the whole range; its liquidity."""
        pair = (shown(self.first), shown(self.second), POOL_FEE)
        order = (*pair, *WHOLE_RANGE, amount, amount, 0, 0, owner.address, FOREVER)
        minted = self.positions.send(owner, "mint", order)
        return int(self.positions.events(minted, "IncreaseLiquidity")[0]["liquidity"])

    def order(self, receiver: LocalAccount, amount: int, least: int = 0) -> tuple[object, ...]:
        """A swap of the first token for the second."""
        return (shown(self.first), shown(self.second), POOL_FEE, receiver.address, FOREVER, amount, least, 0)


def safe_of(ledger: Ledger, key: LocalAccount, owners: list[LocalAccount], threshold: int) -> Official:
    """A wallet through Safe's factory, as its own front end makes it."""
    single, handler, factory = (
        Official.at(
            ledger, f"safe/{name}", deploy_at_salt(ledger, key, bytes(32), creation(f"safe/{name}"), SAFE_DEPLOYER)
        )
        for name in ("SafeL2", "CompatibilityFallbackHandler", "SafeProxyFactory")
    )
    people = [owner.address for owner in owners]
    setup = single.data("setup", people, threshold, NOBODY, b"", handler.hex, NOBODY, 0, NOBODY)
    made = factory.send(key, "createProxyWithNonce", single.hex, setup, 7)
    proxy = factory.events(made, "ProxyCreation")[0]["proxy"]
    return Official.at(ledger, "safe/SafeL2", bytes.fromhex(proxy[2:]))


def safe_signed(digest: bytes, owners: list[LocalAccount]) -> bytes:
    """Signatures in the order of their addresses, as the contract wants them."""
    rows = sorted(owners, key=lambda owner: int(owner.address, 16))
    return b"".join(Account.unsafe_sign_hash(digest, owner.key).signature for owner in rows)


def safe_call(to: bytes, wei: int) -> tuple[object, ...]:
    """A payment as `execTransaction` takes it, without signatures."""
    return (shown(to), wei, b"", 0, 0, 0, 0, NOBODY, NOBODY)


def entry_point(ledger: Ledger, key: LocalAccount) -> Official:
    """EntryPoint v0.8 at its address of every other chain."""
    code = creation("account_abstraction/EntryPoint")
    assert deploy_at_salt(ledger, key, ENTRY_SALT, code) == ENTRY_ADDRESS
    return Official.at(ledger, "account_abstraction/EntryPoint", ENTRY_ADDRESS)


def operation_of(
    entry: Official, account: bytes, call: bytes, *, create: bytes = b"", nonce: int = 0
) -> tuple[object, ...]:
    """A user operation without its signature."""
    price = 2 * entry.ledger.engine.next_base_fee()
    gas = _pair(1_000_000 if create else 200_000, 200_000)
    return (shown(account), nonce, create, call, gas, 100_000, _pair(price // 10, price), b"", b"")


def operation_signed(entry: Official, owner: LocalAccount, operation: tuple[object, ...]) -> tuple[object, ...]:
    """The operation with its owner's signature over its typed hash."""
    digest = entry.ask("getUserOpHash", operation)
    return (*operation[:8], Account.unsafe_sign_hash(digest, owner.key).signature)


def _pair(high: int, low: int) -> bytes:
    """Two numbers of 16 bytes in a word."""
    return high.to_bytes(16, "big") + low.to_bytes(16, "big")


def permit_of(ledger: Ledger, key: LocalAccount) -> Official:
    """Permit2 at its address of every other chain."""
    assert deploy_at_salt(ledger, key, PERMIT_SALT, creation("permit2/Permit2")) == PERMIT_ADDRESS
    return Official.at(ledger, "permit2/Permit2", PERMIT_ADDRESS)


def permit_signed(owner: LocalAccount, spender: LocalAccount, token: bytes, amount: int, nonce: int) -> bytes:
    """The owner's signature that lets a spender take tokens, once."""
    domain = {"name": "Permit2", "chainId": REGTEST.chain_id, "verifyingContract": shown(PERMIT_ADDRESS)}
    permitted = {"token": shown(token), "amount": amount}
    order = {"permitted": permitted, "spender": spender.address, "nonce": nonce, "deadline": FOREVER}
    return bytes(Account.sign_typed_data(owner.key, domain, _PERMIT_TYPES, order).signature)
