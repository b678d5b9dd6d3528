"""The bridge: an allow-list, typed arguments, order, and bounds against a page that floods."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from msgspec import Struct

from client import bridge_api as api
from client.bridge import MAX_PENDING_CALLS, Bridge
from client.errors import ClientError, StoreError
from client.ports import LinkInput, PageId
from tests.support.logs import LogGuard


class Engine:
    """Records what reaches it; `gate` holds back get_older, as a server would."""

    def __init__(self) -> None:
        self.calls: list[tuple[PageId, api.Call]] = []
        self.pages: list[tuple[str, PageId]] = []
        self.gate = asyncio.Event()
        self.bridge: Bridge | None = None

    async def start(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    def link_input(self, item: LinkInput) -> None:
        raise NotImplementedError

    def page_connected(self, page: PageId, window: str) -> None:
        self.pages.append((window, page))

    def page_gone(self, page: PageId) -> None:
        self.pages.append(("gone", page))

    async def call(self, page: PageId, call: api.Call) -> Struct:
        self.calls.append((page, call))
        match call:
            case api.GetOlder():
                await self.gate.wait()
                return api.OlderView(messages=[], has_older=False)
            case api.LogIn():
                raise ClientError("bad_credentials", "Wrong.", retry=True, retry_after=7)
            case api.LogOut():
                raise RuntimeError("secret inner detail")
            case api.SetTyping():
                assert self.bridge is not None
                self.bridge.push(api.RecentsChanged(total=1))
        return api.Nothing()


class Page:
    """What one page gets."""

    def __init__(self, bridge: Bridge, window: str = "main") -> None:
        self._bridge = bridge
        self.got: list[dict[str, Any]] = []
        self.changed = asyncio.Event()
        self.id = bridge.connected(window, self._take)

    def _take(self, data: bytes) -> None:
        self.got.append(json.loads(data))
        self.changed.set()

    def call(self, number: int, method: str, **args: object) -> None:
        self.raw(json.dumps({"id": number, "method": method, "args": args}).encode())

    def raw(self, data: bytes) -> None:
        self._bridge.received(self.id, data)

    async def until(self, count: int) -> list[dict[str, Any]]:
        while len(self.got) < count:
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 5)
        return self.got


Scene = Callable[[Bridge, Engine], Coroutine[Any, Any, None]]


def play(scene: Scene) -> None:
    async def main() -> None:
        bridge, engine = Bridge(), Engine()
        engine.bridge = bridge
        await scene(bridge, engine)

    asyncio.run(main())


OLDER = {"conversation": "d.a.b", "before": 5, "limit": 10}


def test_calls_are_begun_in_order_and_answered_when_known() -> None:
    async def scene(bridge: Bridge, engine: Engine) -> None:
        bridge.open(engine)
        page = Page(bridge)
        page.call(1, "get_older", **OLDER)
        page.call(2, "save_draft", conversation="d.a.b", text="hello")
        await page.until(1)
        assert page.got == [{"id": 2, "result": {}}]
        engine.gate.set()
        await page.until(2)
        assert page.got[1]["id"] == 1
        assert [type(call) for _, call in engine.calls] == [api.GetOlder, api.SaveDraft]

    play(scene)


def test_a_result_and_the_events_around_it_keep_their_order() -> None:
    async def scene(bridge: Bridge, engine: Engine) -> None:
        bridge.open(engine)
        page = Page(bridge)
        for number in range(20):
            page.call(number, "set_typing", conversation="d.a.b", on=True)
        got = await page.until(40)
        kinds = ["event" if "event" in message else message["id"] for message in got]
        assert kinds == [kind for number in range(20) for kind in ("event", number)]

    play(scene)


def test_calls_before_the_engine_is_there_wait_in_order() -> None:
    async def scene(bridge: Bridge, engine: Engine) -> None:
        page = Page(bridge, "d.a.b")
        for number in range(5):
            page.call(number, "save_draft", conversation="d.a.b", text=str(number))
        await asyncio.sleep(0)
        assert not page.got
        bridge.open(engine)
        assert engine.pages == [("d.a.b", page.id)]
        got = await page.until(5)
        assert [message["id"] for message in got] == [0, 1, 2, 3, 4]

    play(scene)


def test_an_engine_that_cannot_start_is_every_calls_answer() -> None:
    async def scene(bridge: Bridge, engine: Engine) -> None:
        page = Page(bridge)
        page.call(1, "start")
        bridge.fail(StoreError("store_newer", "Update this program."))
        got = await page.until(1)
        assert got[0]["error"] == {
            "code": "store_newer", "text": "Update this program.", "retry": False, "retry_after": None,
        }  # fmt: skip

    play(scene)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "bad_call"),
        (b"[]", "bad_call"),
        (b"{", "bad_call"),
        (b"\xff\xfe", "bad_call"),
        (b"[" * 200_000, "bad_call"),
        (b'{"id": 1}', "bad_call"),
        (b'{"id": "1", "method": "start"}', "bad_call"),
        (b'{"id": 1, "method": ["start"]}', "bad_call"),
        (b'{"id": 1, "method": "start", "args": {"more": 1}}', "bad_call"),
        (b'{"id": 1, "method": "start", "args": [1]}', "bad_call"),
        (b'{"id": 1, "method": "set_title", "args": {"title": 5}}', "bad_call"),
        (b'{"id": 1, "method": "set_title", "args": {}}', "bad_call"),
        (b'{"id": 1, "method": "get_recents", "args": {"offset": -1, "limit": 5}}', "bad_call"),
        (b'{"id": 1, "method": "get_conversation", "args": {"conversation": "../../x"}}', "bad_call"),
        (b'{"id": 1, "method": "Start"}', "unknown_method"),
        (b'{"id": 1, "method": "__class__"}', "unknown_method"),
        (b'{"id": 1, "method": "call.__func__.__globals__"}', "unknown_method"),
        (b'{"id": 1, "method": "stop"}', "unknown_method"),
    ],
)
def test_what_is_not_declared_is_refused_and_logged(data: bytes, code: str, logs: LogGuard) -> None:
    logs.expect("call refused")

    async def scene(bridge: Bridge, engine: Engine) -> None:
        bridge.open(engine)
        page = Page(bridge)
        page.raw(data)
        got = await page.until(1)
        assert got[0]["error"]["code"] == code
        assert got[0]["error"]["retry"] is False
        assert not engine.calls

    play(scene)


def test_errors_carry_everything_and_mistakes_of_ours_nothing(logs: LogGuard) -> None:
    logs.expect("call failed")

    async def scene(bridge: Bridge, engine: Engine) -> None:
        bridge.open(engine)
        page = Page(bridge)
        page.call(1, "log_in", server="s", user="u", password="p", remember=False)
        page.call(2, "log_out")
        got = await page.until(2)
        assert got[0]["error"] == {"code": "bad_credentials", "text": "Wrong.", "retry": True, "retry_after": 7}
        assert got[1]["error"]["code"] == "internal"
        assert "secret" not in json.dumps(got[1])

    play(scene)


def test_a_flood_is_bounded(logs: LogGuard) -> None:
    logs.expect("call refused")

    async def scene(bridge: Bridge, engine: Engine) -> None:
        bridge.open(engine)
        page, other = Page(bridge), Page(bridge)
        for number in range(MAX_PENDING_CALLS + 10):
            page.call(number, "get_older", **OLDER)
        assert [message["error"]["code"] for message in page.got] == ["too_many_calls"] * 10
        other.call(1, "start")
        assert (await other.until(1))[0]["id"] == 1
        engine.gate.set()
        await page.until(MAX_PENDING_CALLS + 10)
        page.call(9_999, "start")
        await page.until(MAX_PENDING_CALLS + 11)
        assert page.got[-1] == {"id": 9_999, "result": {}}

    play(scene)


def test_events_go_to_those_who_are_meant() -> None:
    async def scene(bridge: Bridge, engine: Engine) -> None:
        bridge.open(engine)
        one, two = Page(bridge), Page(bridge)
        bridge.push(api.RecentsChanged(total=3), to=frozenset({two.id, 99}))
        bridge.push(api.DirectoryChanged())
        assert one.got == [{"event": "directory_changed", "data": {}}]
        assert [message["event"] for message in two.got] == ["recents_changed", "directory_changed"]
        bridge.gone(one.id)
        bridge.gone(one.id)
        bridge.push(api.DirectoryChanged())
        assert len(one.got) == 1
        assert engine.pages == [("main", one.id), ("main", two.id), ("gone", one.id)]
        bridge.received(one.id, b'{"id": 1, "method": "start"}')
        assert not engine.calls

    play(scene)
