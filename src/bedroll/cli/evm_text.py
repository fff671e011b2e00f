"""Values of the chain as people read them, and never as their terminal does.

Reads: values and names that anybody may have put on the chain.  Gives: text.
Never: lets through a character that moves a cursor, changes a colour or turns writing round.
Spec: docs/spec/cli.md#trace
"""

from collections.abc import Iterable
from typing import Final

from bedroll.primitives import COIN, WEI_PER_SATOSHI
from bedroll.protocol.predeploy import (
    ADDRESS_BOOK,
    BASE_FEE_VAULT,
    CREATE2_DEPLOYER,
    LIGHT_CLIENT,
    MULTICALL,
    SAFE_DEPLOYER,
    SINGLETON_FACTORY,
    SYSTEM_CALLER,
    TIP_VAULT,
    WRAPPED_BITCOIN,
)
from bedroll.sdk import checksum_address
from bedroll.sdk.abi import AbiType, AbiValue
from bedroll.sdk.signature import Parameter

TEXT_CHARACTERS_MAX: Final = 200
"""Of one string or byte string; the rest is counted."""
ITEMS_MAX: Final = 20
"""Of one array; the rest is counted."""
_WEI_PER_BITCOIN: Final = COIN * WEI_PER_SATOSHI
_PRECOMPILES: Final = (
    *("ecrecover", "sha256", "ripemd160", "identity", "modexp", "bn254Add", "bn254Mul", "bn254Pairing", "blake2f"),
    *("pointEvaluation", "blsG1Add", "blsG1Msm", "blsG2Add", "blsG2Msm", "blsPairing", "blsMapFpToG1"),
    "blsMapFp2ToG2",
)
LABELS: Final = {
    LIGHT_CLIENT: "BitcoinLightClient",
    ADDRESS_BOOK: "AddressBook",
    BASE_FEE_VAULT: "BaseFeeVault",
    TIP_VAULT: "TipVault",
    WRAPPED_BITCOIN: "xBTC",
    SYSTEM_CALLER: "system",
    CREATE2_DEPLOYER: "Create2Deployer",
    SAFE_DEPLOYER: "SafeDeployer",
    SINGLETON_FACTORY: "SingletonFactory",
    MULTICALL: "Multicall3",
    bytes.fromhex("000000000022d473030f116ddee9f6b43ac78ba3"): "Permit2",
    bytes.fromhex("4337084d9e255ff0702461cf8895ce9e3b5ff108"): "EntryPoint",
    bytes.fromhex("000000000000000000636f6e736f6c652e6c6f67"): "console",
    (0x100).to_bytes(20, "big"): "p256Verify",
} | {number.to_bytes(20, "big"): name for number, name in enumerate(_PRECOMPILES, start=1)}
"""Names of addresses that are the same wherever they are used."""


def clean(text: str, limit: int = TEXT_CHARACTERS_MAX) -> str:
    r"""A string with everything escaped that is not plainly visible, and cut at `limit`.

    Example:
        >>> clean("a\x1b[31mb\u202ec")
        'a\\x1b[31mb\\u202ec'
    """
    cut = text[:limit]
    shown = "".join(
        character if character.isprintable() and character != "\\" else _escape(character) for character in cut
    )
    return shown if len(text) <= limit else f"{shown}… ({len(text):,} characters)"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def show_bytes(value: bytes, limit: int = TEXT_CHARACTERS_MAX) -> str:
    """Hexadecimal, cut at `limit` characters."""
    if 2 * len(value) <= limit:
        return "0x" + value.hex()
    return f"0x{value[: limit // 2].hex()}… ({len(value):,} bytes)"


def show_address(address: bytes) -> str:
    """An address with its checksum, and its name if it has one everywhere."""
    label = LABELS.get(address)
    return checksum_address(address) if label is None else label


def show_bitcoin(wei: int) -> str:
    """An amount in the largest unit that shows it plainly.

    Example:
        >>> show_bitcoin(5 * 10**17), show_bitcoin(12 * 10**10), show_bitcoin(7)
        ('0.5 BTC', '12 sat', '7 wei')
    """
    sat, rest = divmod(wei, WEI_PER_SATOSHI)
    if wei >= _WEI_PER_BITCOIN // 10_000 and not rest:
        whole, part = divmod(sat, COIN)
        return f"{whole:,}" + (f".{part:08d}".rstrip("0") if part else "") + " BTC"
    if sat:
        return f"{sat:,}" + (f".{rest:010d}".rstrip("0") if rest else "") + " sat"
    return f"{wei:,} wei"


def show_value(kind: AbiType, value: AbiValue) -> str:
    """A decoded value; numbers as Solidity would take them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return "type(uint256).max" if value == 2**256 - 1 else str(value)
    if isinstance(value, str):
        return f'"{clean(value)}"'
    if isinstance(value, bytes):
        return show_address(value) if kind.kind == "address" else show_bytes(value)
    if kind.kind == "tuple":
        labels = kind.labels or ("",) * len(value)
        rows = zip(kind.items, labels, value, strict=True)
        return "(" + ", ".join(_labelled(label, show_value(item, each)) for item, label, each in rows) + ")"
    shown = [show_value(kind.items[0], each) for each in value[:ITEMS_MAX]]
    if len(value) > ITEMS_MAX:
        shown.append(f"… ({len(value):,} items)")
    return "[" + ", ".join(shown) + "]"


def show_named(values: Iterable[tuple[Parameter, AbiValue]]) -> str:
    """Arguments with their names, between commas."""
    return ", ".join(_labelled(each.name, show_value(each.type, value)) for each, value in values)


def _labelled(label: str, text: str) -> str:
    return f"{label}: {text}" if label else text
