"""Addresses: output scripts as people write them.

Reads: text from anyone, scripts.  Gives: scripts, text.
Never: accepts an address of another network.  Spec: docs/spec/bitcoin.md#address
"""

from typing import Final, NamedTuple

from bedroll.encoding.base58 import decode_base58check, encode_base58check
from bedroll.encoding.bech32 import decode_bech32, encode_bech32
from bedroll.primitives import Invalid
from bedroll.protocol import Network

from .script import witness_program


class BadAddress(Invalid):
    """Text is no address of the network."""


class _Version(NamedTuple):
    key_hash: int
    script_hash: int


_VERSIONS: Final = {"bc": _Version(0x00, 0x05), "tb": _Version(0x6F, 0xC4), "bcrt": _Version(0x6F, 0xC4)}


def encode_address(script: bytes, network: Network) -> str:
    """Address of an output script.

    Raises:
        BadAddress: The script has none.
    """
    program = witness_program(script)
    if program is not None:
        return encode_bech32(network.bech32_prefix, *program)
    version = _VERSIONS[network.bech32_prefix]
    if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return encode_base58check(bytes((version.key_hash,)) + script[3:23])
    if len(script) == 23 and script[:2] == b"\xa9\x14" and script[22:] == b"\x87":
        return encode_base58check(bytes((version.script_hash,)) + script[2:22])
    raise BadAddress("script has no address", script=script)


def decode_address(text: str, network: Network) -> bytes:
    """Output script of an address.

    Raises:
        BadAddress: Malformed, or of another network.
    """
    if text[: len(network.bech32_prefix) + 1].lower() == network.bech32_prefix + "1":
        return _decode_witness(text, network)
    try:
        payload = decode_base58check(text)
    except Invalid as error:
        raise BadAddress("text is not an address", text=text[:100], network=network.name, reason=str(error)) from error
    version = _VERSIONS[network.bech32_prefix]
    if len(payload) == 21 and payload[0] == version.key_hash:
        return b"\x76\xa9\x14" + payload[1:] + b"\x88\xac"
    if len(payload) == 21 and payload[0] == version.script_hash:
        return b"\xa9\x14" + payload[1:] + b"\x87"
    raise BadAddress("address is of another network or kind", text=text, network=network.name)


def _decode_witness(text: str, network: Network) -> bytes:
    try:
        prefix, version, program = decode_bech32(text)
    except Invalid as error:
        raise BadAddress("text is not an address", text=text[:100], network=network.name, reason=str(error)) from error
    if prefix != network.bech32_prefix:
        raise BadAddress("address is of another network", text=text, network=network.name)
    return bytes((version + 0x50 if version else 0, len(program))) + program
