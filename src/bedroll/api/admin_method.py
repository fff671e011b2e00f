"""`admin_…`: what only the operator may ask of a running node, with an API key.

Reads: the guard's accounts.  Gives: `TABLE`.  Never: is run without a key.  Spec: docs/spec/api.md#keys
"""

import logging
from typing import Final

from bedroll.primitives import Invalid

from .error import from_invalid
from .method import MethodTable, optional, required
from .quantity import parse_bool, parse_data, refuse, show_data
from .service import Service

TABLE: Final = MethodTable()

_SHOWN_MAX: Final = 1_000
_PROOF_BYTES_MAX: Final = 4 << 20
_LEVELS: Final = ("debug", "info", "warning", "error")


def parse_level(value: object, name: str) -> str:
    """Decode what is worth a line of the log."""
    if value not in _LEVELS:
        raise refuse(name, value, f"one of {', '.join(_LEVELS)}")
    return str(value)


def parse_proof(value: object, name: str) -> bytes:
    """Decode an object's bytes."""
    return parse_data(value, name, most=_PROOF_BYTES_MAX)


@TABLE.method("admin_clients")
async def clients(service: Service) -> object:
    """Clients of late, the newest first: calls, refused ones of them, and units left of the budget."""
    accounts = list(service.guard.budget.accounts().items())[: -_SHOWN_MAX - 1 : -1]
    return [
        {"client": name, "calls": account.calls, "refused": account.refused, "units": round(account.units)}
        for name, account in accounts
    ]


@TABLE.method("admin_submitProof", required("proof object", parse_proof), optional("post", parse_bool))
async def submit_proof(service: Service, raw: bytes, posts: bool | None) -> object:
    """Have the node take a proof; the answer is the id of the object.

    Of a batch that waits for one, or of settlement, it is posted; with `post` false a settlement proof is kept for
    light clients alone.
    """
    try:
        return show_data(service.backend.submit_proof(raw, posts is not False))
    except Invalid as error:
        raise from_invalid(error) from None


@TABLE.method("admin_setLogLevel", required("level", parse_level))
async def set_log_level(_service: Service, level: str) -> object:
    """Change what is worth a line of the log, until the node stops; the answer is the level before."""
    logger = logging.getLogger("bedroll")
    before = logging.getLevelName(logger.getEffectiveLevel()).lower()
    logger.setLevel(level.upper())
    return before
