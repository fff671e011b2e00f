"""Serving: the process may have as many connections open as its options say, as far as the system lets it."""

import resource

import pytest

from bedroll.cli.serve import allow_files


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        ((1_024, 4_096), 1_512, (1_512, 4_096)),
        ((1_024, 4_096), 1_000, None),
        ((1_024, 1_200), 1_512, (1_200, 1_200)),
        ((1_024, resource.RLIM_INFINITY), 1_512, (1_512, resource.RLIM_INFINITY)),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 1_512, None),
    ],
)
def test_the_soft_limit_is_lifted_as_far_as_the_hard_one(monkeypatch, caplog, before, wanted, after):
    told = []
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: before)
    monkeypatch.setattr(resource, "setrlimit", lambda _kind, limits: told.append(limits))
    allow_files(wanted)
    assert told == ([] if after is None else [after])
    assert ("fewer files" in caplog.text) == (after == (1_200, 1_200))
