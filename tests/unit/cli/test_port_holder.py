"""Who has a port: this process where it listens, nobody otherwise."""

import os
import socket

from bedroll.cli.port_holder import holder_of, why_taken


def test_the_process_that_listens_is_named():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert holder_of(port).startswith(f"process {os.getpid()} (")
    assert holder_of(port) == ""


def test_where_nothing_can_be_seen_nothing_is_said(tmp_path):
    assert holder_of(80, tmp_path) == ""


def test_a_taken_port_is_told_with_its_process():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert f"process {os.getpid()} (" in why_taken("127.0.0.1", port)
        assert "in use" in why_taken("localhost", port)
    assert why_taken("127.0.0.1", port) == ""
    assert why_taken("192.0.2.1", port) != ""
