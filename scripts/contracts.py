"""Compile the contracts into artifacts: ABI, storage layout, bytecode.

`--check` compiles and compares instead of writing, and fails where an artifact is out of date.
"""

import json
import sys
from pathlib import Path

import vyper
from vyper.compiler import compile_code
from vyper.compiler.input_bundle import FilesystemInputBundle

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "contracts"
ARTIFACTS = ROOT / "src/bedroll/execution/artifact"


def compile_contract(path: Path) -> str:
    """Artifact of one contract as canonical JSON text."""
    source = path.read_text()
    bundle = FilesystemInputBundle([SOURCES])
    made = compile_code(
        source,
        contract_path=path,
        resolved_path=path,
        input_bundle=bundle,
        output_formats=["abi", "layout", "bytecode", "bytecode_runtime"],
    )
    artifact = {
        "contract": path.stem,
        "source": str(path.relative_to(ROOT)),
        "compiler": f"vyper {vyper.__version__.split('+')[0]}",
        "abi": made["abi"],
        "layout": made["layout"],
        "creation": made["bytecode"],
        "runtime": made["bytecode_runtime"],
    }
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write or check every artifact."""
    check = "--check" in sys.argv[1:]
    stale = []
    for path in sorted(SOURCES.rglob("*.vy")):
        text = compile_contract(path)
        target = ARTIFACTS / f"{path.stem}.json"
        if check:
            if not target.exists() or target.read_text() != text:
                stale.append(str(target.relative_to(ROOT)))
        else:
            target.write_text(text)
            print(f"{target.relative_to(ROOT)}: {len(json.loads(text)['runtime']) // 2 - 1} bytes of code")
    for name in stale:
        print(f"out of date: {name}; run `make contracts`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
