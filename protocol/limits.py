"""Numbers that both sides must agree on; a server tells its own in the welcome frame."""

from __future__ import annotations

from typing import Final

PROTOCOL_VERSION: Final = 1
"""The newest protocol version that this code speaks."""

OLDEST_PROTOCOL: Final = 1
"""The oldest protocol version that this code still speaks."""

MAX_REQUEST_BYTES: Final = 256 * 1024
"""A request frame over this many bytes closes the connection with code 1009."""

MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
"""A server never sends a frame over this many bytes; a client may refuse one that is larger."""

MAX_TEXT_CHARACTERS: Final = 10_000
"""A message's text, in Unicode code points."""

MAX_STATUS_CHARACTERS: Final = 140
"""A status text, in Unicode code points."""

MAX_PAGE_EVENTS: Final = 200
"""Events in one history page, and in one conversation of one sync page."""

MAX_PAGE_CONVERSATIONS: Final = 100
"""Conversations in one sync page."""

MAX_SYNC_CURSORS: Final = 4_000
"""Cursors in one sync request: the request stays well under MAX_REQUEST_BYTES."""

MAX_PAGE_ENTRIES: Final = 2_000
"""Departments and people in one directory page."""

HELLO_TIMEOUT_SECONDS: Final = 10
"""A connection that has not logged in by then is closed."""

PING_INTERVAL_SECONDS: Final = 20
"""A client that has heard nothing for this long sends a ping request."""

PING_TIMEOUT_SECONDS: Final = 8
"""A ping request unanswered for this long means that the link is dead."""
