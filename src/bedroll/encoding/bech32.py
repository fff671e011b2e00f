"""Bech32 and Bech32m: the text form of witness outputs (BIP-0173, BIP-0350).

Reads: text from anyone.  Gives: human-readable part, witness version, program.
Never: corrects a mistyped character.  Spec: docs/spec/encoding.md#bech32
"""

from typing import Final

from bedroll.primitives import Invalid

LENGTH_MAX: Final = 90
"""Longest string that the checksum protects."""

_CHARSET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_POSITION: Final = {character: at for at, character in enumerate(_CHARSET)}
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32: Final = 1
_BECH32M: Final = 0x2BC830A3


def encode_bech32(prefix: str, version: int, program: bytes) -> str:
    """Text of a witness program: Bech32 for version 0, Bech32m above.

    Raises:
        Invalid: Version or program length is none that BIP-0141 knows.
    """
    _check_program(version, program)
    words = [version, *_regroup(program, 8, 5, pad=True)]
    constant = _BECH32 if version == 0 else _BECH32M
    rest = _polymod([*_expand(prefix), *words, 0, 0, 0, 0, 0, 0]) ^ constant
    words += [rest >> 5 * (5 - at) & 31 for at in range(6)]
    return prefix + "1" + "".join(_CHARSET[word] for word in words)


def decode_bech32(text: str) -> tuple[str, int, bytes]:
    """Human-readable part, witness version and program of a text.

    Raises:
        Invalid: Mixed case, a wrong character, length, checksum, padding or program.
    """
    if len(text) > LENGTH_MAX:
        raise Invalid("Bech32 text is too long", size=len(text), limit=LENGTH_MAX)
    if text not in (text.lower(), text.upper()) or not text.isascii():
        raise Invalid("Bech32 text mixes upper and lower case", text=text)
    prefix, separator, rest = text.lower().rpartition("1")
    if not separator or not prefix or len(rest) < 7 or any(not 33 <= ord(each) <= 126 for each in prefix):
        raise Invalid("Bech32 text has no prefix or is too short", text=text)
    wrong = [each for each in rest if each not in _POSITION]
    if wrong:
        raise Invalid("character is not one of Bech32", character=wrong[0], text=text)
    words = [_POSITION[each] for each in rest]
    version, program = words[0], bytes(_regroup(words[1:-6], 5, 8, pad=False))
    if _polymod([*_expand(prefix), *words]) != (_BECH32 if version == 0 else _BECH32M):
        raise Invalid("Bech32 checksum does not fit", text=text)
    _check_program(version, program)
    return prefix, version, program


def _check_program(version: int, program: bytes) -> None:
    if not 0 <= version <= 16 or not 2 <= len(program) <= 40 or (version == 0 and len(program) not in (20, 32)):
        raise Invalid("no such witness program", version=version, size=len(program))


def _polymod(words: list[int]) -> int:
    state = 1
    for word in words:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ word
        for bit, constant in enumerate(_GENERATOR):
            if top >> bit & 1:
                state ^= constant
    return state


def _expand(prefix: str) -> list[int]:
    return [ord(each) >> 5 for each in prefix] + [0] + [ord(each) & 31 for each in prefix]


def _regroup(words: bytes | list[int], width: int, to: int, *, pad: bool) -> list[int]:
    kept, bits, regrouped = 0, 0, []
    for word in words:
        kept = (kept << width | word) & (1 << width + to) - 1
        bits += width
        while bits >= to:
            bits -= to
            regrouped.append(kept >> bits & (1 << to) - 1)
    left = kept & (1 << bits) - 1
    if pad and bits:
        regrouped.append(left << to - bits)
    elif not pad and (bits >= width or left):
        raise Invalid("padding of Bech32 words is not zero or too long", bits=bits)
    return regrouped
