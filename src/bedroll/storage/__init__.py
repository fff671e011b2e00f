"""Durable storage for services: one SQLite file, one process, numbered migrations.

Reads: SQL and values from the services above.  Gives: rows; what a finished transaction wrote survives loss of power.
Never: knows what the rows mean.  Spec: docs/spec/storage.md

```python
database = Database.open(folder / "queue.sqlite", migrations=["create table job (id integer primary key, body blob)"])
with database.transaction():
    database.execute("insert into job (body) values (?)", (body,))
rows = database.execute("select id, body from job order by id")
```
"""

from .sqlite import Database

__all__ = ["Database"]
