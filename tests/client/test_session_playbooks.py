"""The session as scripts: an input, and what must come out."""

from __future__ import annotations

import pytest

from client.errors import LinkError
from client.session import effects as fx
from client.session.handshake import Password, Token
from client.session.session import DIRECTORY_DELAY_SECONDS, Account
from protocol.errors import CloseCode
from protocol.limits import PING_INTERVAL_SECONDS, PING_TIMEOUT_SECONDS
from protocol.messages import (
    ConversationOpened,
    Department,
    Directory,
    DirectoryChanged,
    Error,
    GetDirectory,
    GetHistory,
    GetPresence,
    Hello,
    History,
    Login,
    NewEvent,
    Ok,
    OpenConversation,
    Person,
    Ping,
    Pong,
    Presence,
    PresenceEntry,
    PresenceList,
    Resume,
    SetPresence,
    Sync,
    Welcome,
)
from tests.client.playbook import ME, TALK, URL, Playbook, of, request, requests, said, state


def test_a_log_in_by_password() -> None:
    play = Playbook()
    assert of(fx.OpenLink, play.session.log_in(URL, "anna", "secret", 0.0)) == [fx.OpenLink(1, URL)]
    login = request(Login, play.open())
    assert (login.user, login.password) == ("anna", "secret")
    effects = play.logged_in(login)
    assert of(fx.Authenticated, effects) == [fx.Authenticated(ME, "token")]
    assert requests(effects) == []  # the store is not loaded yet
    assert play.frame(NewEvent(event=said(1))) == []  # syncing will bring it
    play.session.load(Account(me=ME, chosen="busy", status_text="in a meeting"))
    order = [type(r) for r in requests(play.session.catch_up())]
    assert order == [SetPresence, Sync, GetDirectory, GetPresence]
    # From now on the token is what the session comes back with.
    play.close()
    play.tick(1.0)
    assert request(Resume, play.open()).token == "token"


@pytest.mark.parametrize(
    "code", ["bad_credentials", "account_disabled", "too_many_attempts", "update_required", "server_busy"]
)
def test_a_log_in_that_fails_is_told_and_not_tried_again(code: str) -> None:
    play = Playbook()
    play.session.log_in(URL, "anna", "wrong", 0.0)
    login = request(Login, play.open())
    effects = play.frame(Error(re=login.id, code=code, text="No.", retry=code == "server_busy", retry_after=9))
    (failed,) = of(fx.LoginFailed, effects)
    assert (failed.error.code, failed.error.retry_after) == (code, 9)
    assert fx.CloseLink() in effects
    assert play.session.deadline() is None


@pytest.mark.parametrize("code", [0, CloseCode.SERVICE_RESTART, CloseCode.UPDATE_REQUIRED, CloseCode.LOGIN_TIMEOUT])
def test_a_log_in_whose_link_closes_is_told(code: int) -> None:
    play = Playbook()
    play.session.log_in(URL, "anna", "secret", 0.0)
    (failed,) = of(fx.LoginFailed, play.close(code))
    assert failed.error.text
    assert play.session.deadline() is None


def test_a_log_in_to_a_silent_server_is_told() -> None:
    play = Playbook()
    play.session.log_in(URL, "anna", "secret", 0.0)
    (failed,) = of(fx.LoginFailed, play.tick(30.0))
    assert failed.error.code == "timeout"


def test_a_wrong_server_is_told() -> None:
    play = Playbook()
    play.session.log_in(URL, "anna", "secret", 0.0)
    play.session.link_opened(1, 0.0)
    (failed,) = of(fx.LoginFailed, play.session.frame(1, b"<html>", 0.0, 0))
    assert failed.error.code == "not_an_oschat_server"


def test_secrets_have_no_repr() -> None:
    assert "secret" not in repr(Password("anna", "secret")) + repr(Token("secret"))


@pytest.mark.parametrize("code", ["session_expired", "account_disabled"])
def test_a_token_that_is_of_no_more_use_ends_the_session(code: str) -> None:
    play = Playbook()
    play.session.load(Account(me=ME))
    play.session.resume(URL, "old", 0.0)
    resume = request(Resume, play.open())
    effects = play.frame(Error(re=resume.id, code=code, text="Over."))
    assert [over.error.code for over in of(fx.SessionOver, effects)] == [code]
    assert play.session.link.state == "idle"


def test_a_session_that_the_server_ends() -> None:
    play = Playbook()
    play.online()
    (over,) = of(fx.SessionOver, play.close(CloseCode.SESSION_ENDED))
    assert over.error.code == "session_expired"
    play.session.unload()
    assert play.session.me.id == "nobody"
    assert play.session.deadline() is None


def test_a_busy_server_is_asked_again_later() -> None:
    play = Playbook(random=0.5)
    play.session.load(Account(me=ME))
    play.session.resume(URL, "token", 0.0)
    resume = request(Resume, play.open())
    effects = play.frame(Error(re=resume.id, code="server_busy", text="Busy.", retry=True, retry_after=7))
    assert fx.CloseLink() in effects
    assert play.session.link.retry_at == 7.0


def test_an_old_program_stops_with_the_reason() -> None:
    play = Playbook()
    play.session.load(Account(me=ME))
    play.session.resume(URL, "token", 0.0)
    hello = request(Hello, play.session.link_opened(1, 0.0))
    play.frame(Error(re=hello.id, code="update_required", text="Update."))
    assert play.session.link.state == "idle"
    assert play.session.link.error is not None
    assert play.session.link.error.code == "update_required"
    assert of(fx.OpenLink, play.session.reconnect(5.0)) == [fx.OpenLink(2, URL)]


def test_the_directory_comes_page_by_page_and_by_deltas() -> None:
    play = Playbook(random=0.5)
    play.session.load(Account(me=ME, directory_cursor="c0"))
    play.session.resume(URL, "token", 0.0)
    effects = play.logged_in(request(Resume, play.open()))
    first = request(GetDirectory, effects)
    assert first.after == "c0"
    bob = Person(id="b", login="bob", name="Bob")
    it = Department(id="it", name="IT")
    effects = play.frame(Directory(re=first.id, departments=[it], people=[bob], cursor="c1", more=True))
    assert fx.SaveDirectory((it,), (bob,), "c1") in effects
    assert request(GetDirectory, effects).after == "c1"
    play.frame(DirectoryChanged())
    assert requests(play.tick(0.5 * DIRECTORY_DELAY_SECONDS - 0.01)) == []
    assert request(GetDirectory, play.tick(0.5 * DIRECTORY_DELAY_SECONDS)).after == "c1"
    effects = play.frame(Error(re=first.id + 100, code="bad_field", text="What?"))
    assert effects == []


def test_a_directory_cursor_that_the_server_lost_begins_anew() -> None:
    play = Playbook()
    play.session.load(Account(me=ME, directory_cursor="c0"))
    play.session.resume(URL, "token", 0.0)
    ask = request(GetDirectory, play.logged_in(request(Resume, play.open())))
    assert request(GetDirectory, play.frame(Error(re=ask.id, code="bad_field", text="Unknown cursor."))).after == ""


def test_presence_is_not_believed_over_a_link_that_stays_away() -> None:
    play = Playbook()
    play.session.load(Account(me=ME))
    play.session.resume(URL, "token", 0.0)
    effects = play.logged_in(request(Resume, play.open()))
    ask = request(GetPresence, effects)
    play.frame(PresenceList(re=ask.id, people=[PresenceEntry(user="b", state="online")]))
    play.frame(Presence(people=[PresenceEntry(user="c", state="away", text="lunch")]))
    play.close()
    assert play.session.directory.presence.users() == {"b", "c"}  # only a hiccup
    play.tick(1.0)
    (dirty,) = of(fx.DirectoryDirty, play.close())
    assert dirty.people == {"b", "c"}
    assert play.session.directory.presence.users() == set()


def test_own_presence_is_told_again_after_each_log_in() -> None:
    play = Playbook()
    play.online()
    effects = play.session.choose_presence("invisible", "secret mission")
    assert fx.SaveMeta("chosen_state", "invisible") in effects
    assert request(SetPresence, effects).state == "invisible"
    play.close()
    play.tick(1.0)
    effects = play.logged_in(request(Resume, play.open()), token=None)
    chosen = request(SetPresence, effects)
    assert (chosen.state, chosen.text) == ("invisible", "secret mission")


def test_opening_a_conversation_tells_the_peer_and_brings_the_newest_page() -> None:
    play = Playbook()
    assert play.session.open_conversation("b") == []
    play.online()
    ask = request(OpenConversation, play.session.open_conversation("b"))
    effects = play.frame(ConversationOpened(re=ask.id, conversation=state(said(1), said(2), unread=2)))
    assert [e.seq for applied in of(fx.EventsApplied, effects) for e in applied.events] == [1, 2]


def test_a_silent_link_is_probed_and_left() -> None:
    play = Playbook()
    play.online()
    ping = request(Ping, play.tick(PING_INTERVAL_SECONDS))
    play.frame(Pong(re=ping.id, now=1))
    request(Ping, play.tick(2 * PING_INTERVAL_SECONDS))
    effects = play.tick(2 * PING_INTERVAL_SECONDS + PING_TIMEOUT_SECONDS)
    assert fx.CloseLink() in effects
    assert not play.session.live


def test_questions_of_pages_are_answered_whatever_happens() -> None:
    play = Playbook()
    ask = GetHistory(id=0, conversation=TALK, before=5)
    (offline,) = of(fx.Replied, play.session.ask(ask, 1))
    assert isinstance(offline.outcome, LinkError)
    play.online()
    sent = request(GetHistory, play.session.ask(ask, 2))
    answer = History(re=sent.id, conversation=TALK, last_seq=4, events=[])
    assert play.frame(answer) == [fx.Replied(2, answer)]
    play.session.ask(ask, 3)
    (lost,) = of(fx.Replied, play.close())
    assert lost.ticket == 3
    assert isinstance(lost.outcome, LinkError)


def test_answers_to_nothing_and_unknown_frames_do_no_harm() -> None:
    play = Playbook()
    play.online()
    assert play.frame(Ok(re=9_999)) == []
    assert play.frame(Welcome(re=9_999, protocol=1, server="s", max_request_bytes=1, max_text_characters=1)) == []
    assert play.session.frame(1, b'{"type": "invented_later", "x": 1}', 0.0, 0) == []
    assert play.frame(Error(code="bad_frame", text="What?")) == []
    assert play.session.frame(99, b"garbage", 0.0, 0) == []
    effects = play.session.frame(1, b'{"type": "new_event", "event": 7}', 0.0, 0)
    assert fx.CloseLink() in effects
    assert play.session.link.state == "waiting"
