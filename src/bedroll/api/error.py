"""What a client is told when a call fails: one table of codes and texts.

Reads: errors of lower layers.  Gives: `RpcError`, the codes, `from_invalid`.
Never: shows a client more of an unexpected error than that it happened.  Spec: docs/spec/api.md#errors

Sources: JSON-RPC 2.0, section 5.1; EIP-1474; the texts that geth uses and that ethers, viem and web3.py match.
"""

from enum import IntEnum
from typing import Final

from bedroll.primitives import Invalid


class Code(IntEnum):
    """Error codes: JSON-RPC's own, EIP-1474's, 3 for a revert as geth has it, 4 to 6 of EIP-7966, 4100 of EIP-1193."""

    PARSE = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL = -32603
    SERVER = -32000
    NOT_FOUND = -32001
    UNAVAILABLE = -32002
    REJECTED = -32003
    LIMIT = -32005
    REVERT = 3
    TIMEOUT = -32016
    NONCE_TOO_LOW = -38010
    NONCE_TOO_HIGH = -38011
    BASE_FEE_TOO_LOW = -38012
    INTRINSIC_GAS = -38013
    FUNDS = -38014
    BLOCK_GAS = -38015
    BLOCK_NUMBER_ORDER = -38020
    BLOCK_TIME_ORDER = -38021
    PRECOMPILE_TO_ITSELF = -38022
    SENDER_HAS_CODE = -38024
    INIT_CODE_SIZE = -38025
    CLIENT_LIMIT = -38026
    SYNC_TIMEOUT = 4
    UNREADY = 5
    NONCE_GAP = 6
    UNAUTHORIZED = 4100


class RpcError(Invalid):
    """A call is refused; as the client sees it.

    Attributes:
        code: What kind of refusal.
        data: More of it, ready for JSON: a revert's output.
    """

    code: Code
    data: object

    def __init__(self, code: Code, message: str, data: object = None) -> None:
        super().__init__(message, code=code, data=data)

    def show(self) -> dict[str, object]:
        """The `error` member of a response."""
        shown: dict[str, object] = {"code": int(self.code), "message": self.message}
        if self.data is not None:
            shown["data"] = self.data
        return shown


def invalid_params(message: str) -> RpcError:
    """A parameter cannot be read."""
    return RpcError(Code.INVALID_PARAMS, message)


def method_not_found(name: str) -> RpcError:
    """No such method, or not on this kind of node."""
    return RpcError(Code.METHOD_NOT_FOUND, f"the method {name[:100]} does not exist/is not available")


def no_connection(name: str) -> RpcError:
    """The method tells things later, which needs a connection that lasts."""
    return RpcError(Code.METHOD_NOT_FOUND, f"notifications not supported: {name} needs a WebSocket")


_PANICS: Final = {
    0x00: "generic panic",
    0x01: "assert(false)",
    0x11: "arithmetic underflow or overflow",
    0x12: "division or modulo by zero",
    0x21: "enum overflow",
    0x22: "invalid encoded storage byte array accessed",
    0x31: "out-of-bounds array access; popping on an empty array",
    0x32: "out-of-bounds access of an array or bytesN",
    0x41: "out of memory",
    0x51: "uninitialized function",
}
_ERROR_SELECTOR: Final = bytes.fromhex("08c379a0")
_PANIC_SELECTOR: Final = bytes.fromhex("4e487b71")


def reverted(output: bytes) -> RpcError:
    """A call that reverted: code 3, the output as data, and the reason in words where there is one."""
    reason = revert_reason(output)
    message = "execution reverted" if reason is None else f"execution reverted: {reason}"
    return RpcError(Code.REVERT, message, "0x" + output.hex())


def revert_reason(output: bytes) -> str | None:
    """Read `Error(string)` and `Panic(uint256)`; None for anything else, however it is formed."""
    selector, body = output[:4], output[4:]
    if selector == _PANIC_SELECTOR and len(body) == 32:
        code = int.from_bytes(body, "big")
        return _PANICS.get(code, f"unknown panic code: {code:#x}")
    if selector != _ERROR_SELECTOR or len(body) < 64:
        return None
    start, length = int.from_bytes(body[:32], "big"), int.from_bytes(body[32:64], "big")
    if start != 32 or length > len(body) - 64:
        return None
    try:
        return body[64 : 64 + length].decode()
    except UnicodeDecodeError:
        return None


def from_invalid(error: Invalid) -> RpcError:
    """A rule refused what the client sent. The rule's own words are the message (-32000, as geth).

    The core's short name of the rule, `reason`, is left out: clients match the whole text.
    """
    fields = {name: value for name, value in error.fields.items() if name != "reason"}
    return RpcError(Code.SERVER, str(Invalid(error.message, **fields)))
