"""Two real desktop clients, a real server, a virtual screen: they find each other, talk, and lose nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Playwright, expect

from tests.e2e.people import Office, log_in, message, open_talk, say, secrets, texts
from tests.support.secret_service import SecretService
from tests.support.server import conversation


@pytest.mark.deadline(120)
def test_two_colleagues_talk(office: Office, playwright: Playwright) -> None:
    wang, emma = office.hire("wang.wei", "王伟"), office.hire("emma.clark", "Emma Clark")
    talk = conversation(wang.id, emma.id)
    with (
        office.desk(wang) as at_wangs,
        office.desk(emma) as at_emmas,
        at_wangs.drive(playwright) as wangs,
        at_emmas.drive(playwright) as emmas,
    ):
        log_in(wangs, wang)
        emmas_main = log_in(emmas, emma)
        here = open_talk(wangs, emma, talk)
        say(here, "你好,Emma!")
        # The peer's roster shows it before she opens the window, and counts it.
        row = emmas_main.locator(f'[data-conversation="{talk}"]')
        expect(row).to_contain_text("你好,Emma!")
        expect(row.locator("[data-unread]")).to_have_text("1")
        expect(message(here, "你好,Emma!")).to_have_attribute("data-state", "sent")

        row.click()
        there = emmas.page(talk)
        expect(message(there, "你好,Emma!")).to_be_visible()
        expect(message(here, "你好,Emma!")).to_have_attribute("data-state", "read")
        expect(row.locator("[data-unread]")).to_have_count(0)

        there.locator("[data-composer] [data-input]").click()
        there.keyboard.type("On my way")
        expect(here.locator("[data-typing]")).to_be_visible()
        there.keyboard.press("Enter")
        expect(message(here, "On my way")).to_be_visible()
        expect(here.locator("[data-typing]")).to_have_count(0)
        assert texts(here) == texts(there) == ["你好,Emma!", "On my way"]


@pytest.mark.deadline(180)
def test_kill_9_of_the_server_loses_and_doubles_nothing(office: Office, playwright: Playwright) -> None:
    wang, emma = office.hire("wang.wei", "王伟"), office.hire("emma.clark", "Emma Clark")
    talk = conversation(wang.id, emma.id)
    with (
        office.desk(wang) as at_wangs,
        office.desk(emma) as at_emmas,
        at_wangs.drive(playwright) as wangs,
        at_emmas.drive(playwright) as emmas,
    ):
        log_in(wangs, wang)
        log_in(emmas, emma)
        here = open_talk(wangs, emma, talk)
        there = open_talk(emmas, wang, talk)
        wanted = []
        for turn in range(3):
            for number in range(5):
                wanted.append(f"turn {turn} message {number}")
                say(here, wanted[-1])
            office.server.kill9()  # some are on the wire, some on the disk, some acknowledged
            for number in range(5, 8):
                wanted.append(f"turn {turn} message {number}")
                say(here, wanted[-1])
            expect(message(here, wanted[-1])).to_have_attribute("data-state", "waiting")
            office.server.restart()
            expect(message(there, wanted[-1])).to_be_visible()
        say(there, "all there?")
        expect(message(here, "all there?")).to_be_visible()
        wanted.append("all there?")
        assert texts(here) == wanted, at_wangs.tail()
        assert texts(there) == wanted


@pytest.mark.deadline(180)
def test_kill_9_of_a_client_with_messages_under_way(
    office: Office, playwright: Playwright, keyring: SecretService
) -> None:
    wang, emma = office.hire("wang.wei", "王伟"), office.hire("emma.clark", "Emma Clark")
    talk = conversation(wang.id, emma.id)
    with office.desk(emma) as at_emmas, at_emmas.drive(playwright) as emmas:
        log_in(emmas, emma)
        there = open_talk(emmas, wang, talk)
        said = [f"message {number}" for number in range(8)]
        with office.desk(wang, environment=secrets(keyring)) as at_wangs, at_wangs.drive(playwright) as wangs:
            log_in(wangs, wang, remember=True)
            here = open_talk(wangs, emma, talk)
            for text in said[:4]:
                say(here, text)
            office.server.kill9()  # whatever was under way is
            for text in said[4:]:
                say(here, text)
            expect(message(here, said[-1])).to_have_attribute("data-state", "waiting")
            at_wangs.kill()
        # The program starts without a server: the history is there, and what waited still waits.
        with office.desk(wang, environment=secrets(keyring)) as at_wangs, at_wangs.drive(playwright) as wangs:
            main = wangs.page("main")
            expect(main.locator(f'[data-conversation="{talk}"]')).to_contain_text(said[-1])
            here = open_talk(wangs, emma, talk)
            expect(message(here, said[-1])).to_have_attribute("data-state", "waiting")
            assert texts(here) == said
            office.server.restart()
            expect(message(there, said[-1])).to_be_visible()
            expect(here.locator('[data-state="waiting"]')).to_have_count(0)
            assert texts(there) == said
            assert texts(here) == said


@pytest.mark.deadline(120)
def test_a_second_start_brings_the_first_to_the_front(office: Office, playwright: Playwright) -> None:
    wang = office.hire("wang.wei", "王伟")
    with office.desk(wang) as first, first.drive(playwright) as windows:
        log_in(windows, wang)
        before = len(first.lines)
        with office.desk(wang) as second:
            assert second.ended() == 0
        first.wait("window in front", after=before, window="main")
