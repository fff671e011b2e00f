"""Write the API's document (docs/spec/openrpc.json) and the examples in it, which are recorded on a chain made for it.

python scripts/openrpc.py            # write both
python scripts/openrpc.py --check    # say whether the document is what the code says
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bedroll.api import method_table  # noqa: E402
from bedroll.api.openrpc import describe  # noqa: E402
from tests.framework.documented_chain import DocumentedChain, examples  # noqa: E402

EXAMPLES = ROOT / "src/bedroll/api/openrpc/example.json"
DOCUMENT = ROOT / "docs/spec/openrpc.json"


async def record(made: DocumentedChain) -> dict[str, list[dict[str, Any]]]:
    """Run every example; what has no parameters and is not listed is run as it is."""
    ask, wanted = made.ask(), examples(made)
    recorded: dict[str, list[dict[str, Any]]] = {}
    for method, declared in sorted(method_table(devnet=True).methods.items()):
        if method == "rpc.discover":
            continue
        plain = [("Without parameters", [])] if not declared.parameters else []
        for name, params in wanted.get(method, plain):
            answer = await ask(method, params)
            if "result" not in answer:
                raise SystemExit(f"{method}, {name}: {answer['error']['message']}")
            recorded.setdefault(method, []).append({"name": name, "params": params, "result": answer["result"]})
    return recorded


def render() -> str:
    """The document as its file has it."""
    return json.dumps(describe(method_table(devnet=True)), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write or check."""
    if "--check" in sys.argv[1:]:
        if DOCUMENT.read_text(encoding="utf-8") != render():
            raise SystemExit("docs/spec/openrpc.json is not what the code says: run `make openrpc`")
        return
    with tempfile.TemporaryDirectory() as folder:
        made = DocumentedChain.make(Path(folder))
        recorded = asyncio.run(record(made))
        made.close()
    EXAMPLES.write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    DOCUMENT.write_text(render(), encoding="utf-8")
    count = sum(len(each) for each in recorded.values())
    print(f"{len(recorded)} methods with {count} examples, {DOCUMENT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
