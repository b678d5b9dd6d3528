"""The post office: finds the actor of each user who is online here, and gathers presence for everyone."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from protocol.errors import CloseCode, ErrorCode
from protocol.messages import ChosenState, Presence
from server_stub.actor import Actor
from server_stub.bus.base import EndSessions, Message
from server_stub.framing import frame
from server_stub.presence import PresenceBoard
from server_stub.services import Device, Services
from server_stub.user_actor import UserActor

GATHER_SECONDS: Final = 0.2
"""Changes of presence are gathered for this long, then told to everyone in one frame."""

GATHER_SECONDS_PER_DEVICE: Final = 0.0002
"""With many devices it is longer: telling everyone about everyone must stay a small part of the work."""

FEW_DEVICES: Final = 200
"""So many ask for a list that is made anew after each change; more share one until the next telling."""

MAX_PRESENCE_ENTRIES: Final = 5_000
"""People in one presence frame."""


class PostOffice:
    """One for each node. Runs on the event loop."""

    def __init__(self, services: Services) -> None:
        self._presence = PresenceBoard()
        self.admissions_changed = 0
        """Counts the occasions on which sessions may have ended: who is just coming in looks again."""
        self._services = services
        self._actors: dict[str, UserActor] = {}
        self._devices: dict[int, Device] = {}
        self._gathering: asyncio.TimerHandle | None = None
        self._everyone: bytes | None = None
        services.bus.connect(self)

    # ---------------------------------------------------------------- coming and going

    def attach(self, user: str, device: Device) -> UserActor:
        """A device has logged in; its requests go to the actor that this returns."""
        actor = self._actors.get(user)
        if actor is None:
            actor = self._actors[user] = UserActor(user, self._services, self)
        actor.attach(device)
        self._devices[device.key] = device
        return actor

    def detach(self, user: str, device: Device) -> None:
        """A device has gone. May come twice."""
        if self._devices.pop(device.key, None) is None:
            return
        actor = self._actors.get(user)
        if actor is not None and not actor.detach(device):
            del self._actors[user]
        if self._presence.remove(user, device.key):
            self._gather()

    def forget(self, actor: Actor) -> None:
        """The actor has crashed; the next log-in gets a fresh one."""
        self._actors = {user: other for user, other in self._actors.items() if other is not actor}

    def sessions_ended(self) -> None:
        """Some sessions are over: who is just coming in looks again."""
        self.admissions_changed += 1

    def sessions(self) -> set[str]:
        """The sessions of all the devices that are here."""
        return {device.session for device in self._devices.values()}

    def end_sessions(self, sessions: set[str], code: ErrorCode) -> None:
        """Close the sockets of these sessions, which are over."""
        for device in tuple(self._devices.values()):
            if device.session in sessions:
                device.close(CloseCode.SESSION_ENDED, code)

    def end_users(self, users: set[str], code: ErrorCode) -> None:
        """Close all the sockets of these users."""
        self._services.bus.send(sorted(users), EndSessions(None, code))

    # ---------------------------------------------------------------- the bus's receiver

    def arrived(self, user: str, message: Message) -> None:
        """See Receiver.arrived."""
        actor = self._actors.get(user)
        if actor is not None and not actor.may_skip(message):
            self._services.supervisor.tell(actor, message)

    def arrived_for_all(self, data: bytes) -> None:
        """See Receiver.arrived_for_all."""
        for device in tuple(self._devices.values()):
            device.send(data)

    # ---------------------------------------------------------------- presence

    def set_presence(self, user: str, device: int, state: ChosenState, text: str) -> None:
        """What a device wants; everyone is told soon."""
        if self._presence.put(user, device, state, text):
            self._gather()

    def everyone(self) -> bytes:
        """Who is there, as a JSON array.

        With many devices it is made once between two tellings, however many ask: what has changed since it was made is
        told to all in a moment. When a whole company comes back at once, everyone asks for everyone.
        """
        if self._everyone is None:
            self._everyone = msgspec.json.encode(self._presence.everyone())
        return self._everyone

    def _gather(self) -> None:
        if len(self._devices) <= FEW_DEVICES:
            self._everyone = None
        if self._gathering is None:
            delay = max(GATHER_SECONDS, GATHER_SECONDS_PER_DEVICE * len(self._devices))
            self._gathering = asyncio.get_running_loop().call_later(delay, self._tell_presence)

    def _tell_presence(self) -> None:
        self._gathering = None
        self._everyone = None
        changes = self._presence.take_changes()
        for begin in range(0, len(changes), MAX_PRESENCE_ENTRIES):
            self._services.bus.broadcast(frame(Presence(people=changes[begin : begin + MAX_PRESENCE_ENTRIES])))
