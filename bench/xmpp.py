"""The load client of XMPP servers: SASL PLAIN, resource binding, stream management (XEP-0198), chat messages.

It knows just enough XML to count: tags of stanzas, bodies, and the counter in the server's acknowledgements.
"""

from __future__ import annotations

import base64
import re
from typing import Final

from bench.load import TEXT, LoadClient

HOST: Final = "localhost"
PASSWORD: Final = "a long enough password"  # noqa: S105  # of people who exist for some seconds
STREAM: Final = (
    f"<?xml version='1.0'?><stream:stream to='{HOST}' version='1.0' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams'>"
).encode()
BIND: Final = b"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>"
ENABLE: Final = b"<enable xmlns='urn:xmpp:sm:3'/>"
ASK: Final = b"<r xmlns='urn:xmpp:sm:3'/>"

_ACKNOWLEDGED = re.compile(rb"<a [^>]*\bh=['\"](\d+)")


class XmppClient(LoadClient):
    """One account `u…`, which writes to another."""

    def __init__(self, number: int, other: int) -> None:
        super().__init__()
        self._number = number
        self._to = f"<message to='u{other}@{HOST}' type='chat' id='m".encode()
        self._rest = b""
        self._stanzas_sent = 0
        self._stanzas_before = 0
        self._stanzas_received = 0

    async def log_in(self) -> None:
        """See LoadClient."""
        self.write(STREAM)
        await self.until(b"</stream:features>")
        plain = base64.b64encode(f"\0u{self._number}\0{PASSWORD}".encode())
        self.write(b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%b</auth>" % plain)
        await self.until(b"<success")
        await self.until(b">")
        self.write(STREAM)
        await self.until(b"</stream:features>")
        self.write(BIND)
        await self.until(b"</iq>")
        self.write(ENABLE)
        await self.until(b"<enabled")
        await self.until(b">")
        self.write(b"<presence/>")
        self._stanzas_sent += 1
        await self.until(b"<presence")  # one's own comes back
        await self.until(b">")
        self._stanzas_received += 1

    def begin(self, count: int, window: int, expected: int) -> None:
        """See LoadClient."""
        self._stanzas_before = self._stanzas_sent
        super().begin(count, window, expected)

    def messages(self, begin: int, end: int) -> bytes:
        """See LoadClient: one request to acknowledge them all, as a good client asks."""
        self._stanzas_sent += end - begin
        return b"".join([b"%b%d'><body>%b</body></message>" % (self._to, n, _BODY) for n in range(begin, end)]) + ASK

    def count(self, data: bytes) -> None:
        """See LoadClient: whole tags only, the rest waits."""
        data = self._rest + data
        end = data.rfind(b">") + 1
        self._rest = data[end:]
        data = data[:end]
        self.received += data.count(b"</body>")
        self._stanzas_received += data.count(b"<message ") + data.count(b"<presence ") + data.count(b"<iq ")
        if b"<a " in data:
            self.acknowledged = int(_ACKNOWLEDGED.findall(data)[-1]) - self._stanzas_before
        if b"<r " in data or b"<r/" in data:
            self.write(b"<a xmlns='urn:xmpp:sm:3' h='%d'/>" % self._stanzas_received)
        if b"type='error'" in data or b"<stream:error" in data:
            raise RuntimeError(data.decode(errors="replace"))


_BODY: Final = TEXT.encode()
