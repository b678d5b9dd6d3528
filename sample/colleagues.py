"""Other people of the sample company who are there: real log-ins over the wire, so that the roster is not empty."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from types import TracebackType
from typing import Final, Self

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from protocol.codec import encode
from protocol.limits import PROTOCOL_VERSION
from protocol.messages import ChosenState, Hello, Login, SetPresence

PRESENT: Final[tuple[tuple[str, ChosenState, str], ...]] = (
    ("chen.yifan", "online", ""),
    ("sofia.marino", "online", ""),
    ("grace.okafor", "busy", "Pulling cables until 6 pm"),
    ("fu.hongyi", "online", "客户现场，回复稍慢"),
    ("tom.becker", "away", ""),
    ("gu.chengze", "online", ""),
    ("nadia.osman", "busy", "Release planning"),
    ("james.whitfield", "away", "On the train to Hamburg"),
    ("gong.weiguo", "online", ""),
    ("luo.jing", "online", ""),
)
ANSWER_SECONDS: Final = 20.0


class _Socket(WSListener):
    """Waits for answers; pings are answered by the library, and pushes are ignored."""

    def __init__(self) -> None:
        self.transport: WSTransport
        self.answers: asyncio.Queue[str] = asyncio.Queue()  # bounded by the requests: each waits for its answer

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The socket is open."""
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Keep answers."""
        if frame.msg_type == WSMsgType.TEXT:
            content = msgspec.json.decode(frame.get_payload_as_bytes())
            if "re" in content:
                self.answers.put_nowait(content["type"])

    async def ask(self, request: msgspec.Struct, expected: str) -> None:
        """Send a request and wait for its answer. Raises RuntimeError."""
        self.transport.send(WSMsgType.TEXT, encode(request))
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await self.answers.get()
        if answer != expected:
            raise RuntimeError(f"the server answered {answer} where {expected} was expected")


class Colleagues:
    """They are there as long as the `with` block runs, on a thread of their own."""

    def __init__(self, url: str, password: str) -> None:
        self._url = url
        self._password = password
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="colleagues", daemon=True)
        self._sockets: list[_Socket] = []

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._arrive(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _arrive(self) -> None:
        await asyncio.gather(*(self._log_in(*one) for one in PRESENT))

    async def _log_in(self, login: str, state: ChosenState, text: str) -> None:
        _, socket = await ws_connect(_Socket, self._url)
        assert isinstance(socket, _Socket)
        self._sockets.append(socket)
        await socket.ask(Hello(id=1, protocol=PROTOCOL_VERSION, client="sample"), "welcome")
        await socket.ask(Login(id=2, user=login, password=self._password), "logged_in")
        await socket.ask(SetPresence(id=3, state=state, text=text), "ok")

    async def _leave(self) -> None:
        for socket in self._sockets:
            socket.transport.disconnect()
        with contextlib.suppress(TimeoutError):  # a server that has gone takes no leave
            async with asyncio.timeout(ANSWER_SECONDS):
                await asyncio.gather(*(socket.transport.wait_disconnected() for socket in self._sockets))
