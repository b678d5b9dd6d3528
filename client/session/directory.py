"""People and departments: the tree, the search and the counts of who is there, kept up to date by deltas.

Tree and index are built when they are first asked for, and again after a change that moves departments; single people
and presence are patched in. For a large company the index can be built ahead, in another thread, by `index_job`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from client.session.presence import PresenceBook
from client.session.search import MOST_HITS, Index, line, matches
from client.session.tree import Row, Tree
from protocol.messages import Department, Person, PresenceEntry

MOST_PATCHES: Final = 2_000
"""After so many changed people the index is built anew."""

AHEAD_PEOPLE: Final = 5_000
"""From this size on it is worth building the index ahead."""


@dataclass(frozen=True, slots=True)
class IndexJob:
    """`build` needs nothing of the directory any more, and may run in any thread."""

    generation: int
    build: Callable[[], Index]


class DirectoryBook:
    """Everybody, and who is there."""

    def __init__(self, departments: Iterable[Department] = (), people: Iterable[Person] = (), cursor: str = "") -> None:
        self.cursor = cursor
        self.presence = PresenceBook()
        self._departments = {d.id: d for d in departments}
        self._people = {p.id: p for p in people}
        self._tree: Tree | None = None
        self._index: Index | None = None
        self._department_index: Index | None = None
        self._patched: set[str] = set()
        """People who changed since the index was built."""
        self._generation = 0

    def person(self, id: str) -> Person | None:
        """Somebody, disabled or not."""
        return self._people.get(id)

    def path(self, person: Person) -> str:
        """The path of the main department."""
        nodes = self._built().nodes
        main = _main(person, nodes)
        return nodes[main].path if main else ""

    def apply(self, departments: Iterable[Department], people: Iterable[Person], cursor: str) -> frozenset[str]:
        """Take a page of changes; whose record changed."""
        self.cursor = cursor
        for department in departments:
            if self._departments.get(department.id) != department:
                self._departments[department.id] = department
                self._tree = self._index = self._department_index = None
                self._generation += 1
        changed = set()
        for person in people:
            before = self._people.get(person.id)
            if before == person:
                continue
            changed.add(person.id)
            self._people[person.id] = person
            self._patched.add(person.id)
            if self._tree is not None:
                if before is not None:
                    self._tree.remove(before)
                self._tree.add(person)
        return frozenset(changed)

    def presence_update(self, entries: Iterable[PresenceEntry]) -> frozenset[str]:
        """Presence changed; for whom."""
        entries = list(entries)
        before = {entry.user: self.presence.is_there(entry.user) for entry in entries}
        changed = self.presence.update(entries)
        self._moved({user: before[user] for user in changed})
        return changed

    def presence_replace(self, entries: Iterable[PresenceEntry]) -> frozenset[str]:
        """The full list of who is there; for whom it is news."""
        before, self.presence = self.presence, PresenceBook(entries)
        users = before.users() | self.presence.users()
        changed = frozenset(user for user in users if before.of(user) != self.presence.of(user))
        self._moved({user: before.is_there(user) for user in changed})
        return changed

    def slice(self, expanded: frozenset[str], offset: int, limit: int) -> tuple[list[Row], int]:
        """Visible rows of the tree, and how many there are."""
        return self._built().slice(expanded, offset, limit)

    def search(self, query: str, offset: int, limit: int) -> tuple[list[Row], int]:
        """Hits, departments whose name begins so first, then people; and how many there are."""
        nodes = self._built().nodes
        if self._department_index is None:
            self._department_index = Index(((id, "", line(node.name)) for id, node in nodes.items()), {})
        if self._index is None or len(self._patched) > MOST_PATCHES:
            self._index = self._index_job().build()
        patched = sorted(id for id in self._patched if self._matches(query, id)) if query.strip() else []
        found = [id for id in self._index.find(query) if id not in self._patched]
        departments = [Row(0, nodes[id], "") for id in self._department_index.find(query)]
        people = [Row(0, None, id) for id in [*found[: MOST_HITS - len(patched)], *patched]]
        hits = [*departments[:3], *people, *departments[3:]]
        return hits[offset : offset + limit], len(hits)

    def index_job(self) -> IndexJob | None:
        """Work for another thread, whose result is for `adopt_index`; None where it is not worth it or not needed."""
        if len(self._people) < AHEAD_PEOPLE or (self._index is not None and len(self._patched) <= MOST_PATCHES // 2):
            return None
        return self._index_job()

    def adopt_index(self, index: Index, job: IndexJob) -> None:
        """Use the index of the job, unless departments moved or another index was begun since."""
        if job.generation == self._generation:
            self._index = index

    def _index_job(self) -> IndexJob:
        """The state of now, so that the work can be done elsewhere. What changes from here on is a patch."""
        nodes = self._built().nodes
        self._patched = set()
        self._generation += 1
        paths = {id: line(node.path) for id, node in nodes.items()}
        return IndexJob(self._generation, partial(_build_index, list(self._people.values()), paths))

    def _matches(self, query: str, id: str) -> bool:
        person = self._people[id]
        return not person.disabled and matches(query, _line(person), line(self.path(person)))

    def _built(self) -> Tree:
        if self._tree is None:
            self._tree = Tree(self._departments.values(), self._people.values(), self._is_there)
        return self._tree

    def _is_there(self, user: str) -> bool:
        return self.presence.is_there(user)

    def _moved(self, before: dict[str, bool]) -> None:
        for user, was_there in before.items():
            person = self._people.get(user)
            change = self.presence.is_there(user) - was_there
            if person is not None and change and self._tree is not None:
                self._tree.presence(person, change)


def _build_index(people: list[Person], paths: dict[str, str]) -> Index:
    return Index(((p.id, _main(p, paths), _line(p)) for p in people if not p.disabled), paths)


def _main(person: Person, departments: Container[str]) -> str:
    """The main department, or an empty text."""
    return next((id for id in person.departments if id in departments), "")


def _line(person: Person) -> str:
    return line(person.name, person.login, person.title)
