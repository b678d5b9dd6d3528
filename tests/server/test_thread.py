"""The thin thread: two colleagues log in, talk, and find it all again."""

from tests.support.server import ServerProcess, conversation


def test_two_colleagues_talk_and_find_it_again(server: ServerProcess) -> None:
    ann = server.add_user("ann", "correct horse", "Ann Example")
    bob = server.add_user("bob", "battery staple", "鲍勃")
    between = conversation(ann, bob)
    with server.login("Ann", "correct horse") as one, server.login("bob", "battery staple") as two:
        people = one.request("get_directory")["people"]
        assert {person["name"] for person in people} == {"Ann Example", "鲍勃"}
        assert one.request("get_presence")["people"] == []  # nobody has said how they want to appear
        for client in (one, two):
            assert client.request("set_presence", state="online")["type"] == "ok"
        assert {entry["user"] for entry in one.request("get_presence")["people"]} == {ann, bob}

        opened = one.request("open_conversation", peer=bob)
        assert opened["conversation"] == {"id": between, "members": sorted((ann, bob)), "last_seq": 0}
        assert two.push("peer_opened")["user"] == ann

        sent = one.say(between, "你好, Bob")
        assert (sent["type"], sent["seq"]) == ("sent", 1)
        event = two.push("new_event")["event"]
        assert (event["seq"], event["sender"], event["body"]) == (1, ann, {"text": "你好, Bob"})

        assert two.request("mark_read", conversation=between, seq=1)["type"] == "ok"
        assert one.push("new_event")["event"]["kind"] == "read"
        token = two.token

    assert server.stop() == 0
    server.restart()
    with server.resume(token) as two:
        state = two.request("sync")["conversations"][0]
        assert state["read"] == {bob: 1}
        assert [event["kind"] for event in state["events"]] == ["message", "read"]
        history = two.request("get_history", conversation=between, before=2)
        assert [event["body"] for event in history["events"]] == [{"text": "你好, Bob"}]
