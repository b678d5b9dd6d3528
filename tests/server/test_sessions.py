"""Sessions and accounts on a running server: what ends, ends at once, whoever ended it."""

from __future__ import annotations

import pytest

from tests.support.server import ServerProcess

SESSION_ENDED = 4001
LOGIN_TIMEOUT = 4003


def code(answer: dict[str, object]) -> object:
    assert answer["type"] == "error", answer
    return answer["code"]


@pytest.fixture
def ann(server: ServerProcess) -> str:
    return server.add_user("ann", "correct horse", "Ann")


def test_a_token_comes_back_and_a_wrong_one_does_not(server: ServerProcess, ann: str) -> None:
    with server.login("ann", "correct horse") as client:
        token = client.token
        assert len(token) == 43  # 256 bits in base64
    with server.resume(token) as client:
        assert client.user == ann
    with server.greeted() as client:
        assert code(client.request("resume", token=token[:-1] + "x" * (token[-1] != "x"))) == "session_expired"
        assert code(client.request("resume", token="")) == "session_expired"


def test_a_wrong_password_and_an_unknown_user_look_the_same(server: ServerProcess, ann: str) -> None:
    with server.greeted() as client:
        wrong = client.request("login", user="ann", password="wrong")
        unknown = client.request("login", user="nobody", password="wrong")
        assert code(wrong) == "bad_credentials"
        assert {**wrong, "re": 0} == {**unknown, "re": 0}
        client.remember(client.request("login", user="ANN", password="correct horse"))  # the socket still works


def test_logging_out_ends_the_session(server: ServerProcess, ann: str) -> None:
    with server.login("ann", "correct horse") as one, server.login("ann", "correct horse") as two:
        with server.resume(one.token) as same:
            assert one.request("logout")["type"] == "ok"
            assert one.closed() == 1000
            assert same.closed() == SESSION_ENDED
        assert two.request("ping")["type"] == "pong"
        with server.greeted() as again:
            assert code(again.request("resume", token=one.token)) == "session_expired"


def test_logging_out_everywhere_ends_all(server: ServerProcess, ann: str) -> None:
    with server.login("ann", "correct horse") as one, server.login("ann", "correct horse") as two:
        assert one.request("logout", everywhere=True)["type"] == "ok"
        assert one.closed() == 1000
        assert two.closed() == SESSION_ENDED
        assert two.close_reason == "session_expired"
    with server.greeted() as again:
        assert code(again.request("resume", token=two.token)) == "session_expired"


def test_disabling_an_account_closes_its_sockets(server: ServerProcess, ann: str) -> None:
    server.add_user("bob", "battery staple")
    with server.login("ann", "correct horse") as client, server.login("bob", "battery staple") as other:
        server.command("user", "disable", "ann")
        assert client.closed() == SESSION_ENDED
        assert client.close_reason == "account_disabled"
        other.push("directory_changed")
        people = {person["id"]: person for person in other.request("get_directory")["people"]}
        assert people[ann]["disabled"]
        with server.greeted() as again:
            assert code(again.request("resume", token=client.token)) == "account_disabled"
            assert code(again.request("login", user="ann", password="correct horse")) == "account_disabled"
            assert code(again.request("login", user="ann", password="wrong")) == "bad_credentials"
        server.command("user", "enable", "ann")
        with server.login("ann", "correct horse") as again:
            assert code(again.request("login", user="ann", password="x")) == "already_logged_in"


def test_a_new_password_ends_the_sessions(server: ServerProcess, ann: str) -> None:
    with server.login("ann", "correct horse") as client:
        server.command("user", "passwd", "ann", "--password-stdin", stdin="a new password\n")
        assert client.closed() == SESSION_ENDED
        with server.greeted() as again:
            assert code(again.request("resume", token=client.token)) == "session_expired"
            assert code(again.request("login", user="ann", password="correct horse")) == "bad_credentials"
            again.remember(again.request("login", user="ann", password="a new password"))


def test_an_import_while_running_is_told(server: ServerProcess, ann: str) -> None:
    with server.login("ann", "correct horse") as client:
        cursor = client.request("get_directory")["cursor"]
        file = server.data.parent / "org.csv"
        file.write_text("login,name\ncid,Cid\n", "utf-8")
        server.command("org", "import", str(file))
        client.push("directory_changed")
        delta = client.request("get_directory", after=cursor)
        assert [person["login"] for person in delta["people"]] == ["cid"]
        with server.greeted() as other:  # no password yet
            assert code(other.request("login", user="cid", password="")) == "bad_credentials"


def test_somebody_added_a_moment_ago_can_log_in(server: ServerProcess) -> None:
    for name in ("ann", "bob", "cid"):
        server.add_user(name, "correct horse")
        server.login(name, "correct horse").close()


def test_nothing_in_the_database_or_the_log_lets_one_in(server: ServerProcess, ann: str) -> None:
    with server.login("ann", "correct horse") as client:
        client.say(f"d.{ann}.nobody", "the secret text")
        secrets = (client.token, "correct horse")
    assert server.stop() == 0
    kept = b"".join(path.read_bytes() for path in server.data.rglob("*") if path.is_file())
    for secret in secrets:
        assert secret.encode() not in kept
        assert secret not in str(server.logs)
    assert "the secret text" not in str(server.logs)


def test_who_does_not_log_in_is_shown_out(tmp_path_factory: pytest.TempPathFactory) -> None:
    process = ServerProcess(tmp_path_factory.mktemp("server"), "--login-seconds", "1").start()
    with process.connect() as silent, process.greeted() as greeted:
        assert silent.closed() == LOGIN_TIMEOUT
        assert greeted.closed() == LOGIN_TIMEOUT
    assert process.stop() == 0
