"""What the server has of a conversation, asked over the wire."""

from __future__ import annotations

from bench.company import PASSWORD
from tests.support.server import Frame, ServerProcess, WireClient


def whole_history(client: WireClient, conversation: str) -> list[Frame]:
    """Every event of the conversation, in the order in which the server gives them."""
    found: list[Frame] = []
    last = 1
    while len(found) < last:
        page = client.request("get_history", conversation=conversation, after=len(found), limit=200)
        assert page["events"], "the history has a gap"
        found += page["events"]
        last = page["last_seq"]
    return found


def texts_of(server: ServerProcess, login: str, conversation: str) -> list[str]:
    """The texts of its messages, as this person sees them."""
    with server.login(login, PASSWORD) as client:
        events = whole_history(client, conversation)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    return [event["body"]["text"] for event in events if event["kind"] == "message"]
