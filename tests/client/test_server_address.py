"""The address of a server as people type it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import ClientError
from client.server_address import server_url


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("chat.example.com", "wss://chat.example.com/"),
        ("  Chat.Example.COM ", "wss://chat.example.com/"),
        ("chat.example.com:443", "wss://chat.example.com/"),
        ("chat.example.com:8443", "wss://chat.example.com:8443/"),
        ("https://chat.example.com", "wss://chat.example.com/"),
        ("http://chat.example.com", "ws://chat.example.com/"),
        ("http://chat.example.com:80/", "ws://chat.example.com/"),
        ("WSS://chat.example.com/oschat", "wss://chat.example.com/oschat"),
        ("ws://10.0.0.5:5000", "ws://10.0.0.5:5000/"),
        ("10.0.0.5", "wss://10.0.0.5/"),
        ("localhost:4000", "ws://localhost:4000/"),
        ("127.0.0.1:4000", "ws://127.0.0.1:4000/"),
        ("[::1]:4000", "ws://[::1]:4000/"),
        ("wss://localhost:4000", "wss://localhost:4000/"),
        ("[2001:db8::1]", "wss://[2001:db8::1]/"),
        ("münchen.example", "wss://xn--mnchen-3ya.example/"),
        ("聊天.example", "wss://xn--rss932g.example/"),
    ],
)
def test_what_people_type(address: str, url: str) -> None:
    assert server_url(address) == url
    assert server_url(url) == url


@pytest.mark.parametrize(
    "address",
    [
        "", "   ", "ftp://chat.example.com", "javascript:alert(1)", "chat.example.com:port", "chat.example.com:99999",
        "chat.example.com:0", "user:password@chat.example.com", "https://", "two words", "chat.example.com?x=1",
        "chat.example.com#part", "[not:ipv6", "[zz::1]", "a..b", "-host", "x" * 300, "file:///etc/passwd", "\x00",
    ],
)  # fmt: skip
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ClientError) as failure:
        server_url(address)
    assert failure.value.code == "bad_address"


@given(st.text(max_size=60))
def test_any_text_gives_an_address_or_a_clear_error(address: str) -> None:
    try:
        url = server_url(address)
    except ClientError as error:
        assert error.code == "bad_address"
    else:
        assert url.startswith(("ws://", "wss://"))
        assert server_url(url) == url
