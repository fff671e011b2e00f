"""`bedroll key`: API keys of a node.

Reads: options, the key file.  Gives: `command`.
Never: shows a key a second time: the file holds its hash alone.  Spec: docs/spec/cli.md#key
"""

from typing import Final

import click

from bedroll.api.key import check_name, hash_key, make_key, read_keys, write_keys
from bedroll.primitives import Misconfigured

from .run import QUIET, Context, declare
from .serve import keys_path

_SECTIONS: Final = ("folder", "rpc.keys")
_SHOWN_CHARACTERS: Final = 16


@click.group("key")
def command() -> None:
    """API keys: who may call what not everybody may. A running node sees changes at once."""


@declare("new", *_SECTIONS, group=command)
@click.argument("name")
def new(context: Context, flags: dict[str, object], name: str) -> None:
    """Make a key and show it, this once."""
    path = keys_path(context.load(flags, QUIET))
    keys = read_keys(path)
    if check_name(name) in keys:
        raise Misconfigured("there is a key of this name", option="name", value=name, allowed="a new name")
    key = make_key()
    write_keys(path, keys | {name: hash_key(key)})
    context.output.result({"name": name, "key": key, "file": str(path)}, title="API key")
    context.output.warn("it is shown this once; the file holds its hash")
    context.output.hint('curl -H "Authorization: Bearer KEY" …')


@declare("list", *_SECTIONS, group=command)
def show(context: Context, flags: dict[str, object]) -> None:
    """Names and the beginnings of the hashes."""
    keys = read_keys(keys_path(context.load(flags, QUIET)))
    rows = [(name, digest[:_SHOWN_CHARACTERS]) for name, digest in keys.items()]
    context.output.rows("keys", ("name", "hash"), rows)


@declare("remove", *_SECTIONS, group=command)
@click.argument("name")
def remove(context: Context, flags: dict[str, object], name: str) -> None:
    """Take a key away."""
    path = keys_path(context.load(flags, QUIET))
    keys = read_keys(path)
    if name not in keys:
        raise Misconfigured("there is no such key", option="name", value=name[:80], allowed=", ".join(keys) or "none")
    del keys[name]
    write_keys(path, keys)
    context.output.result({"removed": name, "left": len(keys)}, title="API key")
