"""Judges compressed proofs by the worker, one process for all of them.

Reads: proofs as bytes.  Gives: `WorkerVerifier`.
Never: lets a hostile proof end the process that asks, or is asked about one longer than the limit.
Spec: docs/spec/prover.md#worker
"""

import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec

from bedroll.primitives import Unavailable

PROOF_BYTES_MAX: Final = 4 << 20
VALUES_BYTES_MAX: Final = 1 << 16


class WorkerVerifier:
    """A worker that only verifies: 60 MB, no proving keys. Use as a context manager; not from two threads at once."""

    def __init__(self, worker: Path) -> None:
        """Start it.

        Args:
            worker: `bedroll-prover-core`.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="bedroll-verify-")
        self._worker = worker
        self._process = self._start()

    def reason(self, proof: bytes, values: bytes, program: bytes) -> str | None:
        """Why a proof does not show that the program gave these values; None where it does.

        Args:
            proof: A compressed proof.
            values: Public values.
            program: The program's key, or its digest of 32 bytes.

        Raises:
            Unavailable: The worker is gone.
        """
        if len(proof) > PROOF_BYTES_MAX or len(values) > VALUES_BYTES_MAX:
            sizes = f"{len(proof)} bytes of proof, {len(values)} of values"
            return f"{sizes}; at most {PROOF_BYTES_MAX} and {VALUES_BYTES_MAX}"
        folder = Path(self._folder.name)
        (folder / "proof").write_bytes(proof)
        (folder / "values").write_bytes(values)
        asked = {
            "do": "verify",
            "proof": str(folder / "proof"),
            "values": str(folder / "values"),
            "program": program.hex(),
        }
        told = self._ask(asked)
        if "failed" in told:
            return str(told["failed"])
        return None if told["verdict"] is None else str(told["verdict"])

    def _ask(self, asked: dict[str, str]) -> dict[str, object]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(msgspec.json.encode(asked) + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = b""
        if not line:
            code = self._process.wait()
            self._process = self._start()
            raise Unavailable("the verifying worker has ended", exit_code=code)
        told: dict[str, object] = msgspec.json.decode(line, type=dict[str, object])
        return told

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([self._worker], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def __enter__(self) -> "WorkerVerifier":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
