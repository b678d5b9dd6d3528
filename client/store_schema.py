"""The local store's tables, as numbered migrations: one is never changed once it was released, only followed."""

from __future__ import annotations

import dataclasses
from typing import Final

from client.session.effects import Conversation

MIGRATIONS: Final = (
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE people (id TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE departments (id TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE conversations (
        id TEXT PRIMARY KEY, peer TEXT NOT NULL, cursor INTEGER NOT NULL,
        read_mine INTEGER NOT NULL, read_told INTEGER NOT NULL, read_peer INTEGER NOT NULL,
        unread INTEGER NOT NULL, counted INTEGER NOT NULL, last_message INTEGER NOT NULL,
        at INTEGER NOT NULL, preview TEXT NOT NULL, mine INTEGER NOT NULL,
        wants_to_talk INTEGER NOT NULL, draft TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE events (
        conversation TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, sender TEXT NOT NULL,
        kind TEXT NOT NULL, message_id TEXT, body BLOB NOT NULL,
        PRIMARY KEY (conversation, seq)
    ) WITHOUT ROWID;
    CREATE TABLE outbox (
        key TEXT PRIMARY KEY, conversation TEXT NOT NULL, position INTEGER NOT NULL,
        at INTEGER NOT NULL, text TEXT NOT NULL, failure TEXT
    ) WITHOUT ROWID;
    """,
)

CONVERSATION_COLUMNS: Final = tuple(field.name for field in dataclasses.fields(Conversation))
"""In the order of the table, which a test compares."""
