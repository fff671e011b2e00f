"""The table of methods: name, parameters, function.

Reads: nothing.  Gives: `MethodTable`, `Parameter`, `required`, `optional`.
Never: calls a function with a parameter that was not parsed.  Spec: docs/spec/api.md#methods
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec

from .error import invalid_params
from .service import Service

P = ParamSpec("P")
Parse = Callable[[object, str], object]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A positional parameter. `default` stands where an optional one is absent or null."""

    name: str
    parse: Parse
    needed: bool
    default: object = None


def required(name: str, parse: Parse) -> Parameter:
    """A parameter that must be there."""
    return Parameter(name, parse, needed=True)


def optional(name: str, parse: Parse, default: object = None) -> Parameter:
    """A parameter that may be left out."""
    return Parameter(name, parse, needed=False, default=default)


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the API."""

    name: str
    parameters: tuple[Parameter, ...]
    run: Callable[..., Awaitable[object]]

    def bind(self, given: list[object]) -> list[object]:
        """Parse positional parameters.

        Raises:
            RpcError: One is missing, too many, or cannot be read (-32602).
        """
        if len(given) > len(self.parameters):
            raise invalid_params(f"too many arguments, want at most {len(self.parameters)}, got {len(given)}")
        bound: list[object] = []
        for position, parameter in enumerate(self.parameters):
            value = given[position] if position < len(given) else None
            if value is not None:
                bound.append(parameter.parse(value, parameter.name))
            elif parameter.needed:
                raise invalid_params(f"missing value for required argument {position}: {parameter.name}")
            else:
                bound.append(parameter.default)
        return bound


@dataclass(slots=True)
class MethodTable:
    """Methods by name."""

    methods: dict[str, Method] = field(default_factory=dict)

    def method(
        self, name: str, *parameters: Parameter
    ) -> Callable[
        [Callable[Concatenate[Service, P], Awaitable[object]]], Callable[Concatenate[Service, P], Awaitable[object]]
    ]:
        """Decorate a function as a method; the parameters stand in the order of its arguments."""

        def register(
            run: Callable[Concatenate[Service, P], Awaitable[object]],
        ) -> Callable[Concatenate[Service, P], Awaitable[object]]:
            self.methods[name] = Method(name, parameters, run)
            return run

        return register

    def include(self, other: "MethodTable") -> None:
        """Take over all methods of another table."""
        self.methods.update(other.methods)
