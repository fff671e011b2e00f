"""Log lines, as text or JSON, on standard error.

Reads: options.  Gives: `set_up_logs`.  Never: writes where results go.  Spec: docs/spec/cli.md#logs
"""

import logging
import sys
import time
from typing import Final

import msgspec

from bedroll.config import LogConfig

_OWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def set_up_logs(config: LogConfig) -> None:
    """Send the project's log lines to standard error."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(_JsonLines() if config.format == "json" else _TextLines())
    root = logging.getLogger()
    root.handlers[:] = [lines]
    root.setLevel(logging.WARNING)
    logging.getLogger("bedroll").setLevel(config.level.upper())


def _facts(record: logging.LogRecord) -> dict[str, object]:
    """What the caller gave beside the text (`extra`)."""
    return {name: value for name, value in record.__dict__.items() if name not in _OWN}


class _TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%H:%M:%S", time.localtime(record.created))
        facts = "".join(f" {name}={value}" for name, value in _facts(record).items())
        place = record.name.removeprefix("bedroll.")
        line = f"{moment} {record.levelname.lower():<7} {place}: {record.getMessage()}{facts}"
        return line if not record.exc_info else f"{line}\n{self.formatException(record.exc_info)}"


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": record.created,
            "level": record.levelname.lower(),
            "name": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(fields | _facts(record), enc_hook=str).decode()
