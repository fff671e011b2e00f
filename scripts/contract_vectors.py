"""Write tests/vectors/contracts again from npm packages: the official bytecode of contracts that everybody uses.

Usage: python scripts/contract_vectors.py NODE_MODULES, a folder where npm installed the packages that each SOURCE.md
names with their versions. What OpenZeppelin publishes as source is compiled there with npm's solc. `--check` only
compares.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Final

TARGET: Final = Path(__file__).resolve().parents[1] / "tests/vectors/contracts"
_V3: Final = "@uniswap/v3-{}/artifacts/contracts/{}.sol/{}.json"
_SAFE: Final = "@safe-global/safe-contracts/build/artifacts/contracts/{}.sol/{}.json"
_ACCOUNT: Final = "@account-abstraction/contracts/artifacts/{}.json"

FILES: Final = {
    "uniswap_v2/UniswapV2Factory": "@uniswap/v2-core/build/UniswapV2Factory.json",
    "uniswap_v2/UniswapV2Pair": "@uniswap/v2-core/build/UniswapV2Pair.json",
    "uniswap_v2/UniswapV2Router02": "@uniswap/v2-periphery/build/UniswapV2Router02.json",
    "uniswap_v2/WETH9": "@uniswap/v2-periphery/build/WETH9.json",
    "uniswap_v3/UniswapV3Factory": _V3.format("core", "UniswapV3Factory", "UniswapV3Factory"),
    "uniswap_v3/UniswapV3Pool": _V3.format("core", "UniswapV3Pool", "UniswapV3Pool"),
    "uniswap_v3/NonfungiblePositionManager": _V3.format(
        "periphery", "NonfungiblePositionManager", "NonfungiblePositionManager"
    ),
    "uniswap_v3/SwapRouter": _V3.format("periphery", "SwapRouter", "SwapRouter"),
    "uniswap_v3/Quoter": _V3.format("periphery", "lens/Quoter", "Quoter"),
    "safe/SafeL2": _SAFE.format("SafeL2", "SafeL2"),
    "safe/SafeProxyFactory": _SAFE.format("proxies/SafeProxyFactory", "SafeProxyFactory"),
    "safe/CompatibilityFallbackHandler": _SAFE.format(
        "handler/CompatibilityFallbackHandler", "CompatibilityFallbackHandler"
    ),
    "account_abstraction/EntryPoint": _ACCOUNT.format("EntryPoint"),
    "account_abstraction/SimpleAccountFactory": _ACCOUNT.format("SimpleAccountFactory"),
    "account_abstraction/SimpleAccount": _ACCOUNT.format("SimpleAccount"),
}
"""Artifact here: file of a package."""
COMPILED: Final = {
    "VoteToken": "VoteToken.sol",
    "Board": "Board.sol",
    "TimelockController": "@openzeppelin/contracts/governance/TimelockController.sol",
}
ONLY_ABI: Final = {"uniswap_v2/UniswapV2Pair", "uniswap_v3/UniswapV3Pool", "account_abstraction/SimpleAccount"}
"""Deployed by other contracts that hold their bytecode."""

_COMPILE: Final = """
const solc = require("solc"), fs = require("fs");
const [folder, names] = [process.argv[1], JSON.parse(process.argv[2])];
const sources = {};
for (const name of ["VoteToken.sol", "Board.sol"])
  sources[name] = { content: fs.readFileSync(`${folder}/${name}`, "utf8") };
sources[names.TimelockController] = { content: fs.readFileSync(require.resolve(names.TimelockController), "utf8") };
const output = solc.compile(JSON.stringify({
  language: "Solidity", sources,
  settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: "cancun",
              outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } } },
}), { import: (path) => ({ contents: fs.readFileSync(require.resolve(path), "utf8") }) });
const made = JSON.parse(output);
for (const error of made.errors ?? []) if (error.severity === "error") throw new Error(error.formattedMessage);
const found = {};
for (const [name, file] of Object.entries(names)) {
  const { abi, evm } = made.contracts[file][name];
  found[name] = { abi, bytecode: "0x" + evm.bytecode.object };
}
console.log(JSON.stringify(found));
"""


def artifact(name: str, source: str, version: str, digest: str, made: dict[str, object]) -> str:
    """Canonical text of one artifact."""
    text = {"contract": name, "source": source, "version": version, "sha256": digest, "abi": made["abi"]}
    if made.get("bytecode"):
        text["creation"] = made["bytecode"]
    # The ABI on one line: nobody reads it in a review.
    rows = [f" {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in text.items()]
    return "{\n" + ",\n".join(rows) + "\n}\n"


def copied(modules: Path) -> dict[str, str]:
    """Artifacts that packages hold ready."""
    found = {}
    for target, source in FILES.items():
        raw = (modules / source).read_bytes()
        made = json.loads(raw)
        bytecode = made["bytecode"]
        bytecode = bytecode if bytecode.startswith("0x") else "0x" + bytecode
        made = {"abi": made["abi"], "bytecode": None if target in ONLY_ABI else bytecode}
        found[target] = artifact(target.split("/")[1], source, _version(modules, source), _sha256(raw), made)
    return found


def compiled(modules: Path) -> dict[str, str]:
    """OpenZeppelin's, with the two contracts that put its parts together."""
    folder = TARGET / "openzeppelin/source"
    command = ["node", "-e", _COMPILE, str(folder), json.dumps(COMPILED)]
    done = subprocess.run(command, cwd=modules.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    found = {}
    for name, made in json.loads(done.stdout).items():
        source = COMPILED[name]
        version = f"@openzeppelin/contracts {_version(modules, '@openzeppelin/contracts/')}, solc 0.8.30, 200 runs"
        file = modules / source if source.startswith("@") else folder / source
        found[f"openzeppelin/{name}"] = artifact(name, source, version, _sha256(file.read_bytes()), made)
    return found


def _version(modules: Path, source: str) -> str:
    package = "/".join(source.split("/")[:2])
    return str(json.loads((modules / package / "package.json").read_text())["version"])


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def main() -> int:
    """Write or compare every artifact."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("node_modules", type=Path)
    options.add_argument("--check", action="store_true")
    chosen = options.parse_args()
    modules = chosen.node_modules.resolve()
    stale = []
    for target, text in (copied(modules) | compiled(modules)).items():
        file = TARGET / f"{target}.json"
        if chosen.check:
            stale += [target] if not file.exists() or file.read_text() != text else []
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        print(f"{target}: {len(text):,} characters")
    for name in stale:
        print(f"not as published: {name}", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
