"""The verifier of validity proofs (`crates/proof`), a library of its own: its faces are in `bedroll.crypto.proof`."""

def verify_compressed(program: bytes, public_values: bytes, proof: bytes) -> bool:
    """Whether a compressed proof shows these public values of the program with this key."""

def verify_groth16(program: bytes, circuit: bytes, public_values: bytes, proof: bytes) -> bool:
    """The same of a Groth16 proof under its circuit's key."""

def program_name(program: bytes) -> str | None:
    """How a program is named in Groth16 proofs; None for what is no key."""

def published_circuit() -> bytes:
    """Key of the Groth16 circuit whose setup was the proof system's published ceremony."""
