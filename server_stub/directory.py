"""The directory in memory, pure: who works here, in which departments, and what changed since a cursor.

A full download and a delta are the same question: entries in the order of (version, kind, id) after a cursor. An entry
that changes moves to the end of that order, so that a reader who is half-way meets it again.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from protocol.messages import Department, Directory, Person
from server_stub.storage.base import DirectoryRows, login_key

_Place = tuple[int, str, str]
"""Version, kind ("d" or "p": departments before the people in them), id."""

_START: Final[_Place] = (0, "", "")


class DirectoryBook:
    """All departments and people, held in memory for lookups and pages."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.departments: dict[str, Department] = {}
        self.version = 0
        self._by_login: dict[str, str] = {}
        self._epoch = ""
        self._versions: dict[tuple[str, str], int] = {}
        self._order: list[_Place] = []

    def apply(self, rows: DirectoryRows) -> list[Person]:
        """Take in what changed. Returns the people among it."""
        self._epoch = rows.epoch
        self.version = max(self.version, rows.version)
        fresh: list[_Place] = []
        changed: list[Person] = []
        for version, department in rows.departments:
            if self._is_newer(version, "d", department.id):
                self.departments[department.id] = department
                fresh.append((version, "d", department.id))
        for version, person in rows.people:
            if self._is_newer(version, "p", person.id):
                before = self.people.get(person.id)
                if before is not None and self._by_login.get(login_key(before.login)) == person.id:
                    del self._by_login[login_key(before.login)]  # unless somebody has just been given it
                self.people[person.id] = person
                self._by_login[login_key(person.login)] = person.id
                fresh.append((version, "p", person.id))
                changed.append(person)
        self._order.extend(sorted(fresh))  # newer than all before
        if len(self._order) > 2 * len(self._versions):
            self._order = [place for place in self._order if self._is_current(place)]
        return changed

    def by_login(self, login: str) -> Person | None:
        """The person with this log-in name; see login_key."""
        name = self._by_login.get(login_key(login))
        return None if name is None else self.people[name]

    def page(self, request_id: int, after: str, limit: int, max_bytes: int) -> Directory:
        """The entries after the cursor `after`: up to `limit`, fewer where they would take more than `max_bytes`.

        A cursor that was not made here (of a database that was replaced) counts as none.
        """
        departments: list[Department] = []
        people: list[Person] = []
        position = bisect_right(self._order, self._place(after))
        while position < len(self._order) and len(departments) + len(people) < limit and max_bytes > 0:
            place = self._order[position]
            position += 1
            if not self._is_current(place):
                continue
            _, kind, name = place
            if kind == "d":
                departments.append(self.departments[name])
                max_bytes -= 200 + 3 * len(departments[-1].name)
            else:
                people.append(self.people[name])
                max_bytes -= _size(people[-1])
        return Directory(
            re=request_id,
            departments=departments,
            people=people,
            cursor=self._cursor(self._order[position - 1]) if position else after,
            more=position < len(self._order),
        )

    def _is_newer(self, version: int, kind: str, name: str) -> bool:
        if version <= self._versions.get((kind, name), 0):
            return False
        self._versions[kind, name] = version
        return True

    def _is_current(self, place: _Place) -> bool:
        version, kind, name = place
        return self._versions[kind, name] == version

    def _cursor(self, place: _Place) -> str:
        version, kind, name = place
        return f"{self._epoch}.{version}.{kind}.{name}"

    def _place(self, cursor: str) -> _Place:
        epoch, _, rest = cursor.partition(".")
        version, _, rest = rest.partition(".")
        kind, _, name = rest.partition(".")
        if epoch != self._epoch or not (version.isascii() and version.isdigit() and len(version) < 19):
            return _START
        return int(version), kind, name


def _size(person: Person) -> int:
    """About how many bytes a person takes in a frame, at three bytes a character."""
    texts = (person.login, person.name, person.title, person.email, person.phone, *person.departments)
    return 200 + 3 * sum(map(len, texts))
