"""The organisation as a file: what an import would change, checked as a whole, and the export.

Pure: from a file's bytes and the directory as it is to what shall be saved. A person is matched by log-in name (in JSON
by `id`, where one is given), a department by its path (in JSON by `id`). Nobody is removed by being left out. Passwords
are never exported; one in the file is an initial password, for an account that has none yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

from msgspec import Meta, Struct, structs

from protocol.messages import Department, Person
from server_stub.accounts import new_id, password_problem
from server_stub.directory import DirectoryBook
from server_stub.errors import ImportRefused
from server_stub.storage.base import login_key

MAX_DEPTH: Final = 20
"""Levels of departments."""

Text = Annotated[str, Meta(max_length=200)]
Order = Annotated[int, Meta(ge=-(2**31), lt=2**31)]


class PersonRow(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A person as a file gives them. What is None is not in the file, and stays as it is."""

    id: Annotated[str, Meta(pattern="^[a-z0-9]{1,32}$")] | None = None
    login: Annotated[str, Meta(min_length=1, max_length=200)]
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    departments: Annotated[list[str], Meta(max_length=50)] | None = None
    title: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    order: Order | None = None
    disabled: bool | None = None
    password: str | None = None


class DepartmentRow(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A department as a file gives it."""

    id: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    parent: str = ""
    order: Order = 0
    removed: bool = False


class Plan(Struct):
    """What an import saves. Passwords are plain text, by user id, to be hashed."""

    people: list[Person]
    departments: list[Department]
    passwords: dict[str, str]


class Draft:
    """The directory as it would be, while a file is read; problems are gathered, each with its place."""

    def __init__(self, directory: DirectoryBook) -> None:
        self.problems: list[str] = []
        self._directory = directory
        self._departments = dict(directory.departments)
        self._changed_departments: dict[str, str] = {}
        self._people: dict[str, Person] = {}
        self._places: dict[str, str] = {}
        self._logins: dict[str, str] = {}
        self._passwords: dict[str, str] = {}
        self._paths = {(item.parent, item.name): item.id for item in directory.departments.values() if not item.removed}

    def department(self, place: str, row: DepartmentRow) -> None:
        """Take a department, whose parent may come later in the file."""
        if row.id in self._changed_departments:
            self.problems.append(f"{place}: department {row.id!r} stands twice in the file")
        elif problem := _text_problem("name", row.name):
            self.problems.append(f"{place}: {problem}")
        else:
            self._put_department(place, Department(**structs.asdict(row)))

    def department_at(self, place: str, path: Iterable[str]) -> str:
        """The id of the department at this path of names; missing ones are made, after their siblings."""
        parent = ""
        for name in path:
            found = self._paths.get((parent, name))
            if found is None:
                siblings = [item.order for item in self._departments.values() if item.parent == parent]
                department = Department(id=new_id(), name=name, parent=parent, order=max(siblings, default=0) + 1)
                self._put_department(place, department)
                found = department.id
            parent = found
        return parent

    def set_order(self, place: str, department: str, order: int) -> None:
        """Give a department its place among its siblings."""
        self._put_department(place, structs.replace(self._departments[department], order=order))

    def person(self, place: str, row: PersonRow) -> None:
        """Take a person."""
        problems = [
            problem
            for field in ("login", "name", "title", "email", "phone")
            if (problem := _text_problem(field, getattr(row, field) or ""))
        ]
        if any(map(str.isspace, row.login)):
            problems.append("login has a space in it")
        if row.password and (why := password_problem(row.password)):
            problems.append(why)
        before = self._directory.people.get(row.id) if row.id else self._directory.by_login(row.login)
        person = before or Person(id=row.id or new_id(), login=row.login, name=row.name)
        first = self._logins.setdefault(login_key(row.login), place)
        if first != place:
            problems.append(f"login {row.login!r} stands already at {first}")
        elif person.id in self._people:
            problems.append(f"id {person.id!r} stands already at {self._places[person.id]}")
        if problems:
            self.problems.extend(f"{place}: {problem}" for problem in problems)
            return
        given = {name: value for name, value in structs.asdict(row).items() if value is not None}
        password = given.pop("password", "")
        self._people[person.id] = structs.replace(person, **given)
        self._places[person.id] = place
        if password:
            self._passwords[person.id] = password

    def plan(self) -> Plan:
        """What is to be saved. Raises ImportRefused."""
        self._check_tree()
        self._check_people()
        if self.problems:
            raise ImportRefused(self.problems)
        return Plan(
            list(self._people.values()),
            [self._departments[name] for name in self._changed_departments],
            self._passwords,
        )

    def _put_department(self, place: str, department: Department) -> None:
        self._departments[department.id] = department
        self._paths[department.parent, department.name] = department.id
        self._changed_departments.setdefault(department.id, place)

    def _check_tree(self) -> None:
        for name, place in self._changed_departments.items():
            department = self._departments[name]
            if department.removed:
                continue
            above = department
            for _ in range(MAX_DEPTH):
                if not above.parent:
                    break
                parent = self._departments.get(above.parent)
                if parent is None or parent.removed:
                    self.problems.append(f"{place}: there is no department {above.parent!r} above {above.name!r}")
                    break
                above = parent
            else:
                self.problems.append(
                    f"{place}: department {department.name!r} is more than {MAX_DEPTH} levels deep, or under itself"
                )
        gone = {name for name in self._changed_departments if self._departments[name].removed}
        for department in self._departments.values():
            if gone and department.parent in gone and not department.removed:
                place = self._changed_departments[department.parent]
                self.problems.append(
                    f"{place}: department {department.parent!r} cannot be removed: {department.name!r} is in it"
                )

    def _check_people(self) -> None:
        logins: dict[str, str] = {}
        for person in (self._directory.people | self._people).values():
            place = self._places.get(person.id, f"login {person.login!r}, not in the file")
            for name in person.departments:
                department = self._departments.get(name)
                if department is None or department.removed:
                    self.problems.append(f"{place}: there is no department {name!r}")
            if logins.setdefault(login_key(person.login), person.id) != person.id:
                self.problems.append(f"{place}: login {person.login!r} belongs to somebody else")


def _text_problem(field: str, text: str) -> str:
    if text and (not text.strip() or not text.isprintable()):
        return f"{field} is blank or has control characters in it"
    return ""
