"""Who has a port: this process where it listens, nobody otherwise."""

import os
import socket

from bedroll.cli.port_holder import holder_of


def test_the_process_that_listens_is_named():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert holder_of(port).startswith(f"process {os.getpid()} (")
    assert holder_of(port) == ""


def test_where_nothing_can_be_seen_nothing_is_said(tmp_path):
    assert holder_of(80, tmp_path) == ""
