"""People and departments: the tree, the search and the counts of who is there, kept up to date by deltas.

Tree and index are built when they are first asked for after a change that moves departments; single people and
presence are patched in.
"""

from __future__ import annotations

from collections.abc import Iterable

from client.session.presence import PresenceBook
from client.session.search import Index, line
from client.session.tree import Row, Tree
from protocol.messages import Department, Person, PresenceEntry


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

    def person(self, id: str) -> Person | None:
        """Somebody, disabled or not."""
        return self._people.get(id)

    def path(self, person: Person) -> str:
        """The path of the main department."""
        main = self._main(person)
        return self._built().nodes[main].path if main else ""

    def apply(self, departments: Iterable[Department], people: Iterable[Person], cursor: str) -> frozenset[str]:
        """Take a page of changes; whose record changed."""
        self.cursor = cursor
        for department in departments:
            if self._departments.get(department.id) != department:
                self._departments[department.id] = department
                self._tree = self._index = self._department_index = None
        changed = set()
        for person in people:
            before = self._people.get(person.id)
            if before == person:
                continue
            changed.add(person.id)
            self._people[person.id] = person
            self._index = None
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
        tree = self._built()
        if self._index is None or self._department_index is None:
            people = (p for p in self._people.values() if not p.disabled)
            paths = {node.id: line(node.path) for node in tree.nodes.values()}
            self._index = Index(((p.id, self._main(p), line(p.name, p.login, p.title)) for p in people), paths)
            self._department_index = Index(((id, "", line(node.name)) for id, node in tree.nodes.items()), {})
        departments = [Row(0, tree.nodes[id], "") for id in self._department_index.find(query)]
        persons = [Row(0, None, id) for id in self._index.find(query)]
        hits = [*departments[:3], *persons, *departments[3:]]
        return hits[offset : offset + limit], len(hits)

    def _built(self) -> Tree:
        if self._tree is None:
            self._tree = Tree(self._departments.values(), self._people.values(), self._is_there)
        return self._tree

    def _is_there(self, user: str) -> bool:
        return self.presence.is_there(user)

    def _main(self, person: Person) -> str:
        """The main department."""
        nodes = self._built().nodes
        return next((id for id in person.departments if id in nodes), "")

    def _moved(self, before: dict[str, bool]) -> None:
        for user, was_there in before.items():
            person = self._people.get(user)
            change = self.presence.is_there(user) - was_there
            if person is not None and change and self._tree is not None:
                self._tree.presence(person, change)
