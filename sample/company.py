"""The sample company, Farhill Technology 远山科技: 60 people in a tree of departments three levels deep.

departments.txt and people.txt beside this file are the whole of it, in the order in which they are to be shown.
"""

from __future__ import annotations

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


def _rows(name: str) -> list[list[str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.split("|")] for line in lines if line.strip()]
