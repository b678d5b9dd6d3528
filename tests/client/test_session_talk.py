"""Talking as scripts for the session: sending, gaps, reading and typing."""

from __future__ import annotations

from client.session import effects as fx
from client.session.session import Account
from protocol.errors import CloseCode
from protocol.messages import (
    Error,
    GetHistory,
    History,
    MarkRead,
    NewEvent,
    Ok,
    PeerOpened,
    Resume,
    Send,
    Sent,
    SetTyping,
    Sync,
    Synced,
    Typing,
)
from tests.client.playbook import ME, TALK, URL, Playbook, of, outgoing, read, request, requests, said, state


def test_sync_goes_on_to_the_last_page_before_messages_go_out() -> None:
    play = Playbook()
    play.session.load(Account(me=ME, outgoing=[outgoing(1)]))
    play.session.resume(URL, "token", 0.0)
    sync = request(Sync, play.logged_in(request(Resume, play.open())))
    effects = play.frame(Synced(re=sync.id, conversations=[state(said(1))], next="2"))
    again = request(Sync, effects)
    assert (again.page, again.cursors) == ("2", sync.cursors)
    effects = play.frame(Synced(re=again.id, conversations=[]))
    assert request(Send, effects).message_id == "outgoing-001"


def test_an_acknowledgement_stands_for_the_event() -> None:
    play = Playbook()
    play.online(None, state(said(1)))
    send = request(Send, play.session.send(outgoing(1), play.now))
    effects = play.frame(Sent(re=send.id, conversation=TALK, message_id=send.message_id, seq=2, at=5))
    (saved,) = of(fx.SaveEvents, effects)
    assert [(e.seq, e.sender, e.message_id) for e in saved.events] == [(2, "a", send.message_id)]
    assert fx.DropOutgoing(send.message_id) in effects
    conversation = play.session.talk.conversations.get(TALK)
    assert conversation is not None
    assert (conversation.cursor, conversation.preview, conversation.mine) == (2, "out 1", True)
    # The event itself, should it come too, is known.
    assert of(fx.SaveEvents, play.frame(NewEvent(event=said(2, sender="a", key=send.message_id)))) == []


def test_messages_of_a_conversation_go_out_one_after_the_other() -> None:
    play = Playbook()
    play.online()
    first = request(Send, play.session.send(outgoing(1), 0.0))
    assert requests(play.session.send(outgoing(2), 0.0)) == []
    effects = play.frame(Sent(re=first.id, conversation=TALK, message_id=first.message_id, seq=1, at=5))
    assert request(Send, effects).message_id == "outgoing-002"


def test_after_a_lost_link_the_same_message_goes_out_again() -> None:
    play = Playbook()
    play.online()
    first = request(Send, play.session.send(outgoing(1), 0.0))
    play.close()
    play.session.send(outgoing(2), 0.0)
    play.tick(1.0)
    again = request(Send, play.resume())
    assert again.message_id == first.message_id
    # It was stored before: the history knows it, and the answer changes nothing any more.
    play.close()
    play.tick(2.0)
    effects = play.resume(state(said(1, "out 1", sender="a", key=first.message_id)))
    assert fx.DropOutgoing(first.message_id) in effects
    assert request(Send, effects).message_id == "outgoing-002"


def test_a_refused_message_shows_why_and_lets_the_next_one_go() -> None:
    play = Playbook()
    play.online()
    first = request(Send, play.session.send(outgoing(1), 0.0))
    play.session.send(outgoing(2), 0.0)
    effects = play.frame(Error(re=first.id, code="user_disabled", text="Disabled."))
    (changed,) = of(fx.OutgoingChanged, effects)
    assert changed.message.failure == fx.Failure("user_disabled", "Disabled.")
    assert request(Send, effects).message_id == "outgoing-002"
    effects = play.session.retry(first.message_id, 1.0, 1_000)
    assert requests(effects) == []  # the second one is under way
    assert fx.OutgoingRemoved(TALK, "outgoing-002") not in play.session.talk.discard("outgoing-002")


def test_an_error_that_can_pass_is_tried_again() -> None:
    play = Playbook()
    play.online()
    first = request(Send, play.session.send(outgoing(1), 0.0))
    effects = play.frame(Error(re=first.id, code="storage_failed", text="Full.", retry=True, retry_after=3))
    assert of(fx.OutgoingChanged, effects) == []
    assert requests(play.tick(2.9)) == []
    assert request(Send, play.tick(3.0)).message_id == first.message_id


def test_a_message_that_the_server_finds_too_large_does_not_go_out_again() -> None:
    play = Playbook()
    play.online()
    play.session.send(outgoing(1), 0.0)
    (changed,) = of(fx.OutgoingChanged, play.close(CloseCode.TOO_LARGE))
    assert changed.message.failure is not None
    assert changed.message.failure.code == "frame_too_large"
    play.tick(1.0)
    assert [r for r in requests(play.resume()) if isinstance(r, Send)] == []


def test_a_gap_is_asked_for_once_and_closed_in_order() -> None:
    play = Playbook()
    play.online(None, state(said(1)))
    ask = request(GetHistory, play.frame(NewEvent(event=said(4))))
    assert (ask.after, ask.conversation) == (1, TALK)
    assert play.frame(NewEvent(event=said(5))) == []
    effects = play.frame(History(re=ask.id, conversation=TALK, last_seq=5, events=[said(2), said(3)]))
    more = request(GetHistory, effects)
    assert more.after == 3
    effects = play.frame(History(re=more.id, conversation=TALK, last_seq=5, events=[said(4), said(5)]))
    assert requests(effects) == []
    conversation = play.session.talk.conversations.get(TALK)
    assert conversation is not None
    assert (conversation.cursor, conversation.unread) == (5, 4)


def test_a_gap_that_could_not_be_filled_is_asked_for_by_the_next_event() -> None:
    play = Playbook()
    play.online(None, state(said(1)))
    ask = request(GetHistory, play.frame(NewEvent(event=said(3))))
    play.frame(Error(re=ask.id, code="internal", text="Failed.", retry=True))
    assert request(GetHistory, play.frame(NewEvent(event=said(4)))).after == 1


def test_an_acknowledgement_behind_a_gap_counts_at_once_and_closes_the_gap() -> None:
    play = Playbook()
    play.online(None, state(said(1)))
    send = request(Send, play.session.send(outgoing(1), 0.0))
    play.session.send(outgoing(2), 0.0)
    effects = play.frame(Sent(re=send.id, conversation=TALK, message_id=send.message_id, seq=3, at=5))
    assert of(fx.EventsApplied, effects)[0].events[0].seq == 3
    assert request(Send, effects).message_id == "outgoing-002"
    ask = request(GetHistory, effects)
    own = said(3, "out 1", sender="a", key=send.message_id)
    play.frame(History(re=ask.id, conversation=TALK, last_seq=3, events=[said(2), own]))
    assert play.session.talk.outbox.get(send.message_id) is None
    conversation = play.session.talk.conversations.get(TALK)
    assert conversation is not None
    assert (conversation.cursor, conversation.unread) == (3, 1)


def test_what_sync_gives_beyond_the_cursor_is_the_newest_page() -> None:
    play = Playbook()
    known = fx.Conversation(id=TALK, peer="b", cursor=1)
    effects = play.online(Account(me=ME, conversations=[known]), state(said(300), said(301), unread=250))
    (applied,) = of(fx.EventsApplied, effects)
    assert applied.hole
    conversation = play.session.talk.conversations.get(TALK)
    assert conversation is not None
    assert (conversation.cursor, conversation.unread) == (301, 250)


def test_conversations_of_others_and_of_later_kinds_do_no_harm() -> None:
    play = Playbook()
    play.online()
    assert of(fx.SaveEvents, play.frame(NewEvent(event=said(1, conversation="d.b.c")))) == []
    group = said(1, conversation="g.team")
    assert of(fx.SaveEvents, play.frame(NewEvent(event=group))) == [fx.SaveEvents((group,))]
    assert play.session.talk.conversations.unread() == 0


def test_reading_is_told_once_a_second_and_again_after_a_lost_link() -> None:
    play = Playbook()
    play.online(None, state(said(1), said(2), said(3), unread=3))
    assert play.session.talk.conversations.unread() == 3
    mark = request(MarkRead, play.session.mark_read(TALK, 1, 0.0))
    assert mark.seq == 1
    effects = play.session.mark_read(TALK, 3, 0.1)
    assert requests(effects) == []
    assert play.session.talk.conversations.unread() == 0
    assert play.session.mark_read(TALK, 2, 0.2) == []
    play.frame(Ok(re=mark.id))
    assert request(MarkRead, play.tick(1.0)).seq == 3
    play.close()
    play.tick(2.0)
    assert request(MarkRead, play.resume()).seq == 3


def test_another_device_has_read_a_part() -> None:
    play = Playbook()
    play.online(None, state(said(1), said(2), said(3), unread=3))
    effects = play.frame(NewEvent(event=read(4, 1, sender="a")))
    assert of(fx.RecountUnread, effects) == [fx.RecountUnread(TALK, 1)]
    play.session.talk.recounted(TALK, 2)
    assert play.session.talk.conversations.unread() == 2
    play.frame(NewEvent(event=read(5, 3, sender="a")))
    assert play.session.talk.conversations.unread() == 0


def test_what_was_read_offline_is_taken_off_the_servers_count_where_a_hole_hides_the_rest() -> None:
    play = Playbook()
    play.online(None, state(said(1), said(2), said(3), unread=3))
    play.close()
    assert requests(play.session.mark_read(TALK, 2, 1.0)) == []
    play.tick(2.0)
    sync = request(Sync, play.logged_in(request(Resume, play.open())))
    # 27 more came; only the last two are in the page. The server counts all but what it knows to be read.
    effects = play.frame(Synced(re=sync.id, conversations=[state(said(29), said(30), unread=30)]))
    assert of(fx.DiscountRead, effects) == [fx.DiscountRead(TALK, 0, 2)]
    play.session.talk.discounted(TALK, 2)
    assert play.session.talk.conversations.unread() == 28
    assert request(MarkRead, effects).seq == 2  # and now the server is told


def test_the_peer_has_read() -> None:
    play = Playbook()
    play.online(None, state(said(1, sender="a")))
    effects = play.frame(NewEvent(event=read(2, 1)))
    assert fx.ConversationDirty(TALK) in effects
    conversation = play.session.talk.conversations.get(TALK)
    assert conversation is not None
    assert conversation.read_peer == 1


def test_typing_and_wanting_to_talk() -> None:
    play = Playbook()
    play.online()
    assert fx.ConversationDirty(TALK) in play.frame(Typing(conversation=TALK, user="b"))
    assert play.session.talk.typing.is_typing(TALK)
    play.frame(NewEvent(event=said(1)))
    assert not play.session.talk.typing.is_typing(TALK)
    play.frame(PeerOpened(conversation=TALK, user="b"))
    conversation = play.session.talk.conversations.get(TALK)
    assert conversation is not None
    assert conversation.wants_to_talk
    assert of(fx.SaveConversation, play.session.talk.seen(TALK))
    assert play.frame(Typing(conversation=TALK, user="c")) == []
    assert play.frame(PeerOpened(conversation=TALK, user="c")) == []
    assert request(SetTyping, play.session.set_typing(TALK, True, 0.0)).on
    assert play.session.set_typing(TALK, True, 1.0) == []


def test_a_server_restored_from_a_backup_numbers_anew() -> None:
    play = Playbook()
    play.online(None, state(said(1), said(2), said(3), unread=3))
    play.close(CloseCode.SERVICE_RESTART)
    play.tick(20.0)
    sync = request(Sync, play.logged_in(request(Resume, play.open())))
    assert sync.cursors == {TALK: 3}
    effects = play.frame(Synced(re=sync.id, conversations=[state(said(1), unread=1)]))
    changes = [type(effect) for effect in effects if isinstance(effect, fx.ForgetEvents | fx.SaveEvents)]
    assert changes == [fx.ForgetEvents, fx.SaveEvents]
    assert of(fx.EventsApplied, effects)[-1].hole  # windows that show it ask for the snapshot again
    conversation = play.session.talk.conversations.get(TALK)
    assert conversation is not None
    assert (conversation.cursor, conversation.preview, conversation.unread) == (1, "text 1", 1)
    (saved,) = of(fx.SaveEvents, play.frame(NewEvent(event=said(2, "after the backup"))))
    assert saved.events[0].seq == 2
