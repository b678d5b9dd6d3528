"""The sample company, Farhill Technology 远山科技: 60 people in a tree of departments three levels deep.

departments.txt and people.txt beside this file are the whole of it, in the order in which they are to be shown.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final, NamedTuple

ORGANISATION: Final = "Farhill Technology 远山科技"
MAIL_DOMAIN: Final = "example.com"

HERE: Final = Path(__file__).parent


class SampleDepartment(NamedTuple):
    """A department; `parent` is empty at the top. `order` is its place among all."""

    id: str
    parent: str
    name: str
    order: int


class SamplePerson(NamedTuple):
    """A person; `order` is their place among all."""

    login: str
    name: str
    department: str
    title: str
    order: int

    @property
    def email(self) -> str:
        """A mailbox that nobody has."""
        return f"{self.login}@{MAIL_DOMAIN}"

    @property
    def phone(self) -> str:
        """The extension."""
        return str(2000 + self.order)


def departments() -> list[SampleDepartment]:
    """Every department, parents first."""
    return [
        SampleDepartment(name, parent, shown, order)
        for order, (name, parent, shown) in enumerate(_rows("departments.txt"), 1)
    ]


def people() -> list[SamplePerson]:
    """Every person."""
    return [
        SamplePerson(login, name, department, title, order)
        for order, (login, name, department, title) in enumerate(_rows("people.txt"), 1)
    ]


def write_csv(file: Path, password: str) -> None:
    """The company in the form that `org import` reads; everybody has the same password."""
    all_departments = {department.id: department for department in departments()}

    def path(department: str) -> str:
        names: list[str] = []
        while department:
            names.insert(0, all_departments[department].name)
            department = all_departments[department].parent
        return "/".join(names)

    with file.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["login", "name", "department", "title", "email", "phone", "order", "password"])
        for department in all_departments.values():
            rows.writerow(["", "", path(department.id), "", "", "", department.order, ""])
        for one in people():
            rows.writerow(
                [one.login, one.name, path(one.department), one.title, one.email, one.phone, one.order, password]
            )


def _rows(name: str) -> list[list[str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.split("|")] for line in lines if line.strip()]
