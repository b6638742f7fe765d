"""A small application as text, and a configuration for it: what `explain --source` is tested on."""

from __future__ import annotations

from pathlib import Path

from wats_accel.assembly import Assembly, assemble
from wats_accel.config.sources import mapping_document
from wats_accel.event_bus import EventBus
from wats_accel.sql.source.knowledge import Knowledge
from wats_accel.sql.source.scan import scan

SOURCE = """
from datetime import datetime

class Stock:
    def __init__(self, database):
        self.database = database

    def list_items(self):
        cursor = self.database.cursor()
        cursor.execute("SELECT i.name, g.name FROM items i JOIN groups g ON g.id = i.group_id")
        return cursor.fetchall()

    def open_offers(self):
        cursor = self.database.cursor()
        cursor.execute("SELECT id FROM offers WHERE until > ?", (datetime.now(),))
        return cursor.fetchall()

    def overview(self):
        return self.list_items(), self.open_offers()

    def rename(self, item, name):
        self._execute_rename(item, name)

    def _execute_rename(self, item, name):
        self.database.cursor().execute("UPDATE items SET name = ? WHERE id = ?", (name, item))

    def note_seen(self, item):
        self.database.cursor().execute("UPDATE items SET seen = 1 WHERE id = ?", (item,))

    def drop_group(self, group):
        self.database.cursor().execute("DELETE FROM groups WHERE id = ?", (group,))

    def run(self, sql):
        self.database.cursor().execute(sql)

    def clean(self):
        self.database.cursor().execute("EXEC clean_up")


def forgotten(database):
    database.cursor().execute("INSERT INTO items (name) VALUES ('x')")
"""

SQL = {
    "dialect": "tsql",
    "tables": {
        "items": ["id", "name", "group_id", "seen"],
        "groups": ["id", "name"],
        "offers": ["id", "until", "item_id"],
    },
    "foreign_keys": [
        {"table": "items", "columns": "group_id", "parent": "groups", "on_delete": "cascade"},
        {"table": "offers", "columns": "item_id", "parent": "items", "on_delete": "cascade"},
    ],
    "triggers": [{"table": "offers", "name": "noted", "events": ["insert"], "writes": ["groups"]}],
}


def assembled(**repository: object) -> Assembly:
    """A configuration with one repository, by default with one cached read and one rule."""
    whole = {
        "target": "shop:Stock",
        "scope": "self.database",
        "cached": {"list_items": {"namespace": "stock", "ttl": 60}},
        "invalidates": {"rename": ["stock:*"]},
        **repository,
    }
    config = {
        "version": 1,
        "sql": SQL,
        "cache": {"namespaces": {"stock": {}}},
        "repositories": [whole],
    }
    return assemble(mapping_document(config), clock=lambda: 0.0, bus=EventBus(), report=lambda problem: None)


def knowledge(assembly: Assembly, folder: Path, source: str = SOURCE) -> Knowledge:
    """The application, scanned."""
    (folder / "shop.py").write_text(source, encoding="utf-8")
    schema = assembly.context.schema
    return Knowledge(scan(folder, dialect=schema.dialect, columns=schema.columns), schema)
