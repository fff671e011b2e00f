"""The API described for programs: one OpenRPC document, made from the tables of methods.

Reads: tables of methods, schemas, recorded examples.  Gives: `describe`.
Never: describes a method that is not served, or serves one that it cannot describe.  Spec: docs/spec/api.md#openrpc
"""

from .document import describe

__all__ = ["describe"]
