"""What a socket may ask before somebody has logged in on it: hello, log in, resume, ping."""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

import structlog
from msgspec import structs

from protocol.codec import error_frame
from protocol.errors import CloseCode, ErrorCode, ProtocolError
from protocol.limits import MAX_REQUEST_BYTES, MAX_TEXT_CHARACTERS, OLDEST_PROTOCOL, PROTOCOL_VERSION
from protocol.messages import AnyRequest, Hello, LoggedIn, Login, Ping, Pong, Resume, Welcome
from server_stub import VERSION
from server_stub.accounts import Accounts, Admission, now_ms
from server_stub.errors import StorageError
from server_stub.framing import frame
from server_stub.login_limits import LoginLimits, Undecided
from server_stub.post_office import PostOffice
from server_stub.services import Device
from server_stub.storage.base import login_key

log = structlog.get_logger()

SERVER_NAME: Final = f"Oschat server {VERSION}"


class Visitor(Device, Protocol):
    """A socket, from its first request on."""

    greeted: bool
    """Whether hello has been answered."""

    busy: bool
    """Whether a log-in is under way."""

    address: str
    """The network address of the other side."""

    def admit(self, user: str, session: str, office: PostOffice) -> None:
        """Somebody has logged in: requests go to the user's actor from now on."""


class FrontDesk:
    """Serves every socket until its user's actor takes over."""

    def __init__(self, accounts: Accounts, office: PostOffice, organisation: str) -> None:
        self._accounts = accounts
        self._office = office
        self._organisation = organisation
        self._limits = LoginLimits()
        self._decided = asyncio.Event()
        """Set, and replaced, when an attempt has ended."""
        self._tasks: set[asyncio.Task[None]] = set()

    def request(self, visitor: Visitor, request: AnyRequest) -> None:
        """Answer a request of a socket on which nobody has logged in."""
        try:
            if isinstance(request, Hello):
                self._greet(visitor, request)
            elif not visitor.greeted:
                raise ProtocolError(ErrorCode.HELLO_REQUIRED)
            elif isinstance(request, Ping):
                visitor.send(frame(Pong(re=request.id, now=now_ms())))
            elif not isinstance(request, Login | Resume):
                raise ProtocolError(ErrorCode.NOT_LOGGED_IN)
            elif visitor.busy:
                raise ProtocolError(ErrorCode.SERVER_BUSY)
            else:
                visitor.busy = True
                task = asyncio.get_running_loop().create_task(self._log_in(visitor, request))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except ProtocolError as error:
            self._refuse(visitor, request.id, error)
            if error.code is ErrorCode.UPDATE_REQUIRED:
                visitor.close(CloseCode.UPDATE_REQUIRED, error.code)

    def _greet(self, visitor: Visitor, hello: Hello) -> None:
        version = min(hello.protocol, PROTOCOL_VERSION)
        if version < OLDEST_PROTOCOL or version < hello.oldest:
            raise ProtocolError(
                ErrorCode.UPDATE_REQUIRED,
                details={"oldest": OLDEST_PROTOCOL, "newest": PROTOCOL_VERSION},
            )
        visitor.greeted = True
        log.info("client.greeted", device=visitor.key, client=hello.client, protocol=version)
        visitor.send(
            frame(
                Welcome(
                    re=hello.id,
                    protocol=version,
                    server=SERVER_NAME,
                    organisation=self._organisation,
                    max_request_bytes=MAX_REQUEST_BYTES,
                    max_text_characters=MAX_TEXT_CHARACTERS,
                )
            )
        )

    async def _log_in(self, visitor: Visitor, request: Login | Resume) -> None:
        try:
            changes = self._office.admissions_changed
            if isinstance(request, Login):
                admission = await self._log_in_by_password(visitor, request)
                token = admission.token
            else:
                admission = await self._accounts.resume(request.token)
                token = None
            while changes != self._office.admissions_changed:  # sessions have ended meanwhile: perhaps this one
                changes = self._office.admissions_changed
                admission = await self._accounts.look_again(admission)
            self._admit(visitor, request.id, admission, token)
        except ProtocolError as error:
            log.info("login.refused", device=visitor.key, code=error.code)
            self._refuse(visitor, request.id, error)
        except StorageError:
            self._refuse(visitor, request.id, ProtocolError(ErrorCode.STORAGE_FAILED))
        except Exception:  # a failure here must be answered, and must not leave the socket waiting
            log.exception("login.failed", device=visitor.key)
            self._refuse(visitor, request.id, ProtocolError(ErrorCode.INTERNAL))
        finally:
            visitor.busy = False

    async def _log_in_by_password(self, visitor: Visitor, request: Login) -> Admission:
        account, address = login_key(request.user), visitor.address
        if wait := await self._begin_attempt(account, address):
            raise ProtocolError(ErrorCode.TOO_MANY_ATTEMPTS, retry_after=wait)
        right: bool | None = None
        try:
            admission = await self._accounts.log_in(request.user, request.password, request.device)
            right = True
            return admission
        except ProtocolError as error:
            if error.code is ErrorCode.BAD_CREDENTIALS:
                right = False
            raise
        finally:
            self._limits.end(account, address, right, time.monotonic())
            self._decided.set()
            self._decided = asyncio.Event()

    async def _begin_attempt(self, account: str, address: str) -> int:
        """The seconds to wait before the next attempt, or 0 when this one has begun."""
        while True:
            try:
                return self._limits.begin(account, address, time.monotonic())
            except Undecided:
                await self._decided.wait()

    def _admit(self, visitor: Visitor, request_id: int, admission: Admission, token: str | None) -> None:
        session = admission.session
        logged_in = LoggedIn(
            re=request_id,
            user=admission.person,
            session=session.id,
            expires=session.expires,
            now=now_ms(),
        )
        visitor.send(frame(logged_in if token is None else structs.replace(logged_in, token=token)))
        visitor.admit(admission.person.id, session.id, self._office)
        log.info("login.admitted", device=visitor.key, user=admission.person.id, session=session.id)

    def _refuse(self, visitor: Visitor, request_id: int, error: ProtocolError) -> None:
        error.request_id = request_id
        visitor.send(frame(error_frame(error)))
