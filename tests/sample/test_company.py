"""The sample company is what the README says, and a server takes it whole."""

from __future__ import annotations

import re
import time
from pathlib import Path

from sample import company, history
from tests.support.server import ServerProcess, conversation

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_sixty_people_with_chinese_and_english_names() -> None:
    people = company.people()
    assert len(people) == len({person.login for person in people}) == 60
    chinese = [person for person in people if CHINESE.search(person.name)]
    assert 20 <= len(chinese) <= 40
    assert all(person.email.endswith("@example.com") for person in people)


def test_a_tree_three_levels_deep_in_manual_order() -> None:
    parents = {department.id: department.parent for department in company.departments()}

    def depth(department: str) -> int:
        return 1 + depth(parents[department]) if department else 0

    assert max(map(depth, parents)) == 3
    assert {person.department for person in company.people()} <= parents.keys()
    names = [department.name for department in company.departments() if not department.parent]
    assert names != sorted(names)


def test_the_server_takes_company_and_history(tmp_path: Path) -> None:
    process = ServerProcess(tmp_path / "server")
    company.write_csv(tmp_path / "company.csv", "farhill-demo")
    process.command("org", "import", str(tmp_path / "company.csv"))
    count = history.fill(tmp_path / "server" / "oschat.db")
    process.start()
    try:
        with process.login("emma.clarke", "farhill-demo") as emma:
            directory = emma.request("get_directory")
            ids = {person["login"]: person["id"] for person in directory["people"]}
            assert len(ids) == 60
            assert len(directory["departments"]) == len(company.departments())
            synced = emma.request("sync")["conversations"]
            assert len(synced) >= 5
            assert sum(one.get("unread", 0) for one in synced) == 1
            page = emma.request("get_history", conversation=conversation(ids["emma.clarke"], ids["lin.yue"]))
        messages = [event for event in page["events"] if event["kind"] == "message"]
        times = [event["at"] for event in page["events"]]
        assert times == sorted(times)
        assert times[0] < (time.time() - 5 * 86_400) * 1000 < times[-1] < time.time() * 1000
        assert messages[-1]["body"]["text"] == "Great, I will tell him."
        assert count == len(list(history.lines(time.time(), ids)))
    finally:
        process.stop()
