"""The department tree flattened as a person sees it, in slices, with how many are there at any depth.

A slice costs time in proportion to the departments that are expanded, never to the people.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from protocol.messages import Department, Person

PersonKey = tuple[int, str, str]


@dataclass(slots=True)
class Node:
    """A department with what hangs under it. The root has an empty id and is never shown."""

    id: str
    name: str = ""
    path: str = ""
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)
    people: list[PersonKey] = field(default_factory=list)
    """(order, name, id), sorted."""
    total: int = 0
    """People at any depth, each counted once."""
    online: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A visible row: a department, or the person with this id."""

    depth: int
    node: Node | None
    person: str


class Tree:
    """Built from departments and people; people come and go one by one afterwards."""

    def __init__(
        self, departments: Iterable[Department], people: Iterable[Person], is_there: Callable[[str], bool]
    ) -> None:
        self._is_there = is_there
        self.root = Node("")
        self.nodes: dict[str, Node] = {d.id: Node(d.id, d.name) for d in departments if not d.removed}
        self._link({d.id: d for d in departments if not d.removed})
        for person in people:
            for node in self._homes(person):
                node.people.append(_key(person))
            self._count(person, 1)
        for node in (self.root, *self.nodes.values()):
            node.people.sort()

    def add(self, person: Person) -> None:
        """Somebody new, unless disabled."""
        for node in self._homes(person):
            insort(node.people, _key(person))
        self._count(person, 1)

    def remove(self, person: Person) -> None:
        """The same record as it was added with."""
        key = _key(person)
        for node in self._homes(person):
            at = bisect_left(node.people, key)
            if at < len(node.people) and node.people[at] == key:
                del node.people[at]
        self._count(person, -1)

    def presence(self, person: Person, change: int) -> None:
        """The person came (1) or went (-1)."""
        if not person.disabled:
            for node in self._above(person):
                node.online += change

    def slice(self, expanded: frozenset[str], offset: int, limit: int) -> tuple[list[Row], int]:
        """The visible rows from `offset` on, and how many rows there are."""
        rows: list[Row] = []
        end = offset + limit

        def walk(node: Node, depth: int, at: int) -> int:
            for child in node.children:
                if offset <= at < end:
                    rows.append(Row(depth, child, ""))
                at += 1
                if child.id in expanded:
                    at = walk(child, depth + 1, at)
            first, last = max(offset - at, 0), min(end - at, len(node.people))
            rows.extend(Row(depth, None, key[2]) for key in node.people[first : max(first, last)])
            return at + len(node.people)

        return rows, walk(self.root, 0, 0)

    def _link(self, departments: dict[str, Department]) -> None:
        order = sorted(departments.values(), key=lambda d: (d.order, d.name, d.id))
        for department in order:
            node = self.nodes[department.id]
            node.parent = self.nodes.get(department.parent, self.root)
            node.parent.children.append(node)
        # What hangs in a circle, or deeper than anybody can see, is not reached from the root: it is put there.
        reached = self._paths(self.root, 0)
        for department in order:
            if department.id not in reached:
                node = self.nodes[department.id]
                if node.parent is not None:
                    node.parent.children.remove(node)
                node.parent = self.root
                self.root.children.append(node)
                reached |= self._paths(node, 0) | {node.id}

    def _paths(self, top: Node, depth: int) -> set[str]:
        """Give every department under `top` its path; which ones were reached, at most 64 deep."""
        above = "" if top.parent is None else top.parent.path
        top.path = f"{above} / {top.name}" if above else top.name
        reached: set[str] = set()
        if depth < 64:
            for child in top.children:
                reached |= {child.id} | self._paths(child, depth + 1)
        return reached

    def _homes(self, person: Person) -> list[Node]:
        if person.disabled:
            return []
        found = {id: self.nodes[id] for id in person.departments if id in self.nodes}
        return list(found.values()) or [self.root]

    def _above(self, person: Person) -> list[Node]:
        found: dict[str, Node] = {}
        for home in self._homes(person):
            node: Node | None = home
            while node is not None and node.id not in found:
                found[node.id] = node
                node = node.parent
        return list(found.values())

    def _count(self, person: Person, change: int) -> None:
        there = change if self._is_there(person.id) else 0
        for node in self._above(person):
            node.total += change
            node.online += there


def _key(person: Person) -> PersonKey:
    return person.order, person.name, person.id
