"""The drawing of the error tree is true, and every error of the project hangs on it."""

import importlib
import inspect
import pkgutil
import re

import bedroll
from bedroll.primitives import BedrollError, error


def test_the_drawing_shows_the_branches():
    drawn = re.findall(r"[├└]── (\w+)", error.__doc__ or "")
    branches = [cls.__name__ for cls in BedrollError.__subclasses__() if cls.__module__ == error.__name__]
    assert drawn == branches


def test_every_error_is_a_leaf_of_one_branch():
    strays = []
    for found in pkgutil.walk_packages(bedroll.__path__, "bedroll."):
        if found.name in ("bedroll.__main__", "bedroll._core._native"):
            continue
        module = importlib.import_module(found.name)
        for name, cls in inspect.getmembers(module, inspect.isclass):
            ours = cls.__module__ == module.__name__
            if ours and issubclass(cls, Exception) and not issubclass(cls, BedrollError):
                strays.append(f"{found.name}.{name}")
            if ours and cls.__bases__ == (BedrollError,) and cls.__module__ != error.__name__:
                strays.append(f"{found.name}.{name} hangs on the root")
    assert not strays
