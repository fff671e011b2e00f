"""Validity proofs of SP1 under the keys of a program.

Reads: proofs from anyone, public values, keys.  Gives: yes or no, and how a program is named.
Never: raises on a proof's bytes; takes a proof that was made without proving.  Spec: docs/spec/proof.md#verification
"""

from bedroll._core import _proof


def is_compressed_valid(program: bytes, public_values: bytes, proof: bytes) -> bool:
    """Whether a compressed proof shows that a program ended well and gave these public values.

    Args:
        program: Key of the program, as the proof system's setup writes it, 104 bytes.
        public_values: At most 1,024 bytes.
        proof: At most 2 MiB.
    """
    return _proof.verify_compressed(program, public_values, proof)


def is_groth16_valid(program: bytes, circuit: bytes, public_values: bytes, proof: bytes) -> bool:
    """The same of a Groth16 proof, 356 bytes.

    Args:
        program: Key of the program.
        circuit: Key of the circuit that wraps proofs, as gnark writes it; at most 4,096 bytes.
        public_values: At most 1,024 bytes.
        proof: Of any bytes.
    """
    return _proof.verify_groth16(program, circuit, public_values, proof)


def program_name(program: bytes) -> str | None:
    """How a program is named inside Groth16 proofs, 32 bytes in hexadecimal after 0x; None for what is no key."""
    return _proof.program_name(program)


def program_digest(program: bytes) -> bytes | None:
    """How statements and compressed proofs name a program: eight words of 4 bytes; None for what is no key."""
    name = program_name(program)
    if name is None:
        return None
    number = int(name, 16)
    # Groth16 proofs have the same words as digits of 31 bits.
    words = [number >> 31 * place & 0x7FFF_FFFF for place in reversed(range(8))]
    return b"".join(word.to_bytes(4, "big") for word in words)


def published_circuit() -> bytes:
    """Key of the Groth16 circuit whose setup was the published ceremony of this version of the proof system."""
    return _proof.published_circuit()
