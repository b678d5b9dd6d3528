"""One example of every frame and part, for the documents and their tests: a short conversation of two colleagues."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from protocol import messages as m
from protocol.codec import encode_body

WANG: Final = m.Person(
    id="k3v9q2m7x1wd",
    login="wang.wei",
    name="王伟",
    departments=["d-sales-north"],
    title="客户经理",
    email="wang.wei@example.com",
)
EMMA: Final = m.Person(
    id="p8s4t6h2c5yb", login="emma.clark", name="Emma Clark", departments=["d-sales"], title="Head of Sales", order=1
)
TALK: Final = m.direct_conversation(WANG.id, EMMA.id)
HELLO_ID: Final = "0b8f6c1e-5d55-4a53-9a5d-3f2f8b1f8a10"
REPLY_ID: Final = "5f0c7a9a-0a1b-4a0e-8d0e-8f6f7b1c2d3e"
TOKEN: Final = "example-token-256-random-bits-in-base64url"  # noqa: S105 - an example
NOON: Final = 1_795_521_600_000

MESSAGE: Final = m.Event(
    conversation=TALK,
    seq=1,
    at=NOON,
    sender=WANG.id,
    kind="message",
    message_id=HELLO_ID,
    body=encode_body(m.MessageBody(text="报价单好了吗?")),
)
READ: Final = m.Event(
    conversation=TALK, seq=2, at=NOON + 4_000, sender=EMMA.id, kind="read", body=encode_body(m.ReadBody(seq=1))
)
STATE: Final = m.ConversationState(
    id=TALK, members=[WANG.id, EMMA.id], last_seq=2, read={EMMA.id: 1}, events=[MESSAGE, READ]
)

EXAMPLES: Final[tuple[Struct, ...]] = (
    m.Hello(id=1, protocol=1, oldest=1, client="my-client/1.0"),
    m.Login(id=2, user="wang.wei", password="correct horse battery staple", device="Office PC"),  # noqa: S106 - an example
    m.Resume(id=2, token=TOKEN),
    m.Logout(id=90),
    m.Ping(id=91),
    m.GetDirectory(id=5),
    m.GetPresence(id=4),
    m.SetPresence(id=3, state="busy", text="Quarterly report"),
    m.OpenConversation(id=8, peer=EMMA.id),
    m.Send(id=9, conversation=TALK, message_id=HELLO_ID, body=m.MessageBody(text="报价单好了吗?")),
    m.MarkRead(id=10, conversation=TALK, seq=3),
    m.SetTyping(id=11, conversation=TALK),
    m.GetHistory(id=12, conversation=TALK, before=41, limit=20),
    m.Sync(id=6, cursors={TALK: 1}),
    m.Welcome(
        re=1,
        protocol=1,
        server="Oschat server 0.1.0",
        organisation="Farhill Technology",
        max_request_bytes=262_144,
        max_text_characters=10_000,
    ),
    m.LoggedIn(re=2, user=WANG, session="s-7f3a", token=TOKEN, expires=NOON + 2_592_000_000, now=NOON),
    m.Ok(re=3),
    m.Pong(re=91, now=NOON),
    m.Directory(
        re=5,
        departments=[
            m.Department(id="d-sales", name="Sales"),
            m.Department(id="d-sales-north", name="North", parent="d-sales"),
        ],
        people=[EMMA, WANG],
        cursor="7:p8s4t6h2c5yb",
    ),
    m.PresenceList(re=4, people=[m.PresenceEntry(user=EMMA.id, state="online")]),
    m.ConversationOpened(re=8, conversation=STATE),
    m.Sent(re=9, conversation=TALK, message_id=HELLO_ID, seq=1, at=NOON),
    m.History(re=12, conversation=TALK, last_seq=2, events=[MESSAGE, READ]),
    m.Synced(
        re=6,
        conversations=[
            m.ConversationState(id=TALK, members=[WANG.id, EMMA.id], last_seq=2, read={EMMA.id: 1}, events=[READ])
        ],
    ),
    m.Error(
        re=2,
        code="too_many_attempts",
        text="Too many failed log-ins. Wait a while, then try again.",
        retry=True,
        retry_after=60,
    ),
    m.NewEvent(event=MESSAGE),
    m.Presence(people=[m.PresenceEntry(user=EMMA.id, state="away", text="午休")]),
    m.Typing(conversation=TALK, user=EMMA.id),
    m.PeerOpened(conversation=TALK, user=EMMA.id),
    m.DirectoryChanged(),
)
"""In the order of messages.REQUESTS, ANSWERS and PUSHES."""
