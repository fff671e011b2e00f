"""The OpenRPC document: it fits OpenRPC's meta-schema, names what is served, and every example in it runs and fits."""

import json
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from bedroll.api import Server, ServerOptions, method_table
from bedroll.api.dispatch import CONNECTION_METHODS
from bedroll.api.openrpc import describe
from bedroll.api.openrpc.result import RESULTS
from tests.framework.documented_chain import KEY, DocumentedChain, examples

ROOT = Path(__file__).parents[3]
META = json.loads((ROOT / "tests/vectors/openrpc/meta_schema.json").read_text())
DOCUMENT = describe(method_table(devnet=True))
METHODS = {each["name"]: each for each in DOCUMENT["methods"]}
STRANGE = [
    True, 0, -1, 1.5, 10**30, "", "0x", "0x0", "0x00", "0x01", "latest", "safest", "0xzz", "0x" + "11" * 20,
    "0x" + "11" * 21, "0x" + "11" * 32, [], ["0x0"], [[]], {}, {"unknown": 1}, {"blockHash": "0x"},
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    chain = DocumentedChain.make(tmp_path_factory.mktemp("documented"))
    yield chain
    chain.close()


def check(schema, value):
    """Why a value does not fit a schema of the document; empty if it does."""
    whole = {**schema, "components": DOCUMENT["components"]}
    return [
        f"{list(error.absolute_path)}: {error.message[:200]}" for error in Draft7Validator(whole).iter_errors(value)
    ]


def test_the_document_fits_the_meta_schema():
    draft7 = Resource(contents=Draft7Validator.META_SCHEMA, specification=DRAFT7)
    registry = Registry().with_resources([(f"https://meta.json-schema.tools{end}", draft7) for end in ("", "/")])
    assert list(Draft7Validator(META, registry=registry).iter_errors(DOCUMENT)) == []
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


def test_it_names_what_is_served_and_nothing_else():
    served = method_table(devnet=True).methods
    assert METHODS.keys() == served.keys() | CONNECTION_METHODS
    assert RESULTS.keys() == served.keys()
    for name, method in served.items():
        shown = METHODS[name]
        assert [(each["name"], each["required"]) for each in shown["params"]] == [
            (each.name, each.needed) for each in method.parameters
        ]
        assert len(shown["summary"]) > 4, name


def test_every_reference_leads_somewhere_and_every_component_is_used():
    text = json.dumps(DOCUMENT)
    names = DOCUMENT["components"]["schemas"]
    used = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used == set(names)


def test_every_method_has_an_example():
    without = {name for name, method in METHODS.items() if not method.get("examples")}
    assert without == CONNECTION_METHODS | {"rpc.discover"}


def test_the_file_is_what_the_code_says():
    done = subprocess.run(
        [sys.executable, "scripts/openrpc.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", sorted(set(METHODS) - CONNECTION_METHODS))
def test_recorded_examples_fit_their_schemas(name):
    for example in METHODS[name].get("examples", []):
        for declared, given in zip(METHODS[name]["params"], example["params"], strict=False):
            assert check(declared["schema"], given["value"]) == [], declared["name"]
        assert check(METHODS[name]["result"]["schema"], example["result"]["value"]) == []


async def test_every_example_runs_on_a_real_chain_and_its_result_fits(made):
    ask = made.ask()
    ran = 0
    for name, method in METHODS.items():
        for example in method.get("examples", []):
            answer = await ask(name, [each["value"] for each in example["params"]])
            assert "result" in answer, (name, example["name"], answer)
            assert check(method["result"]["schema"], answer["result"]) == [], (name, example["name"])
            ran += 1
    assert ran >= 110


async def test_the_server_gives_what_the_document_says(tmp_path):
    made = DocumentedChain.make(tmp_path)
    server = Server(made.service, ServerOptions(port=0, devnet=True))
    await server.start()
    wanted = examples(made)
    headers = {"Authorization": f"Bearer {KEY}"}
    try:
        async with aiohttp.ClientSession(headers=headers) as session:
            for name, method in METHODS.items():
                if name in CONNECTION_METHODS or name.startswith("admin_"):
                    continue
                for _, params in wanted.get(name, [("", [])]):
                    call = {"jsonrpc": "2.0", "id": 1, "method": name, "params": params}
                    async with session.post(server.url, json=call) as response:
                        answer = await response.json()
                    assert "result" in answer, (name, answer)
                    assert check(method["result"]["schema"], answer["result"]) == [], name
    finally:
        await server.stop()
        made.close()


async def test_discover_gives_the_document_of_this_server(made):
    answer = await made.ask()("rpc.discover", [])
    assert answer["result"] == json.loads(json.dumps(DOCUMENT))


async def test_schemas_and_parsers_of_parameters_agree(made):
    """What a schema refuses the server refuses by name, and the other way round; found on every parameter."""
    ask, wanted = made.ask(), examples(made)
    tried = refused = 0
    differing = []
    for name, method in METHODS.items():
        if name in CONNECTION_METHODS or name in ("bedroll_mine", "bedroll_fund", "eth_sendTransaction"):
            continue
        for position, declared in enumerate(method["params"]):
            for value in STRANGE:
                params = list(wanted[name][0][1])
                params += [None] * (position + 1 - len(params))
                params[position] = value
                answer = await ask(name, params)
                fits = not check(declared["schema"], value)
                is_refused = answer.get("error", {}).get("code") == -32602
                if is_refused and fits and is_beyond_schemas(answer["error"]["message"]):
                    continue
                if fits == is_refused:
                    differing.append((name, declared["name"], value, answer.get("error")))
                tried += 1
                refused += is_refused
    assert not differing, "\n".join(map(str, differing))
    assert refused > tried // 2


def is_beyond_schemas(message):
    return any(text in message for text in ("unknown member", "empty request", "want the RLP list of header"))
