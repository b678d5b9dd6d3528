r"""The organisation as CSV: one row a person, departments as paths; a row without a log-in name is a department.

Columns: login, name, department, title, email, phone, order, disabled, password. `login` and `name` must be there; a
column that is not leaves what it is about as it is. `department` is `Sales/Asia`, several separated by `;`, the main
one first; a backslash before / ; or \ takes it literally. Departments keep the order of their rows, or that of their
first mention.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

import msgspec

from protocol.messages import Department, Person
from server_stub.directory import DirectoryBook
from server_stub.errors import ImportRefused
from server_stub.org import Draft, PersonRow

COLUMNS: Final = ("login", "name", "department", "title", "email", "phone", "order", "disabled", "password")
_YES: Final = {"": False, "no": False, "yes": True}


def read(name: str, data: bytes, draft: Draft) -> None:
    """Read a file into the draft, which gathers the problems. Raises ImportRefused where nothing can be read."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ImportRefused([f"{name}, line {line}: not UTF-8. Save it as “CSV UTF-8”."]) from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip().lower() for column in next(rows, [])]
        _check_header(name, header)
        for row in rows:
            if any(map(str.strip, row)):
                _read_row(f"{name}, line {rows.line_num}", dict(zip(header, map(str.strip, row), strict=False)), draft)
            if len(row) > len(header):
                draft.problems.append(f"{name}, line {rows.line_num}: {len(row)} fields, but {len(header)} columns")
    except csv.Error as error:
        raise ImportRefused([*draft.problems, f"{name}, line {rows.line_num}: not CSV: {error}"]) from None


def _check_header(name: str, header: list[str]) -> None:
    problems = [
        f"{name}, line 1: there is no column {column!r}; allowed: {', '.join(COLUMNS)}"
        for column in header
        if column not in COLUMNS
    ]
    problems += [f"{name}, line 1: the column {column!r} is missing" for column in COLUMNS[:2] if column not in header]
    problems += [
        f"{name}, line 1: the column {column!r} stands twice" for column in COLUMNS if header.count(column) > 1
    ]
    if problems:
        raise ImportRefused(problems)


def _read_row(place: str, row: dict[str, str], draft: Draft) -> None:
    try:
        order = int(row["order"]) if row.get("order") else None
    except ValueError:
        draft.problems.append(f"{place}: order is not a whole number: {row['order']!r}")
        return
    disabled = _YES.get(row.get("disabled", "").lower())
    if disabled is None:
        draft.problems.append(f"{place}: disabled is neither yes nor no: {row['disabled']!r}")
        return
    paths = list(split_paths(row.get("department", "")))
    if any(not name or len(name) > 200 or not name.isprintable() for path in paths for name in path):
        draft.problems.append(f"{place}: department has a part that is empty, too long or not printable")
        return
    departments = [draft.department_at(place, path) for path in paths]
    if not row["login"]:
        if len(departments) != 1 or row["name"]:
            draft.problems.append(f"{place}: login is empty")
        elif order is not None:
            draft.set_order(place, departments[0], order)
        return
    fields: dict[str, object] = {key: row[key] for key in ("title", "email", "phone") if key in row}
    if "department" in row:
        fields["departments"] = departments
    if "order" in row:
        fields["order"] = order or 0
    if "disabled" in row:
        fields["disabled"] = disabled
    if row.get("password"):
        fields["password"] = row["password"]
    try:
        draft.person(place, msgspec.convert({"login": row["login"], "name": row.get("name", ""), **fields}, PersonRow))
    except msgspec.ValidationError as error:
        draft.problems.append(f"{place}: {error}")


def split_paths(text: str) -> Iterator[list[str]]:
    """The departments that a field names, each as the names from the top down."""
    path, name, literal = [], "", False
    for character in text:
        if literal:
            name, literal = name + character, False
        elif character == "\\":
            literal = True
        elif character in "/;":
            path.append(name.strip())
            name = ""
            if character == ";":
                yield path
                path = []
        else:
            name += character
    if path or name.strip():
        yield [*path, name.strip()]


def join_path(names: list[str]) -> str:
    """The reverse of split_paths, for one department."""
    return "/".join("".join("\\" + one if one in "/;\\" else one for one in name) for name in names)


def export_csv(directory: DirectoryBook) -> str:
    """The whole organisation: the departments in the order of the tree, then the people in theirs."""
    paths = dict(_tree(directory, "", []))
    places = {department: index for index, department in enumerate(paths)}

    def place(person: Person) -> tuple[int, int, str, str]:
        first = places.get(person.departments[0], len(places)) if person.departments else len(places)
        return first, person.order, person.name, person.login

    output = io.StringIO(newline="")
    rows = csv.DictWriter(output, COLUMNS[:-1], restval="", lineterminator="\n")
    rows.writeheader()
    for department, path in paths.items():
        rows.writerow({"department": join_path(path), "order": directory.departments[department].order})
    for person in sorted(directory.people.values(), key=place):
        rows.writerow(
            {
                "login": person.login,
                "name": person.name,
                "department": "; ".join(join_path(paths[name]) for name in person.departments if name in paths),
                "title": person.title,
                "email": person.email,
                "phone": person.phone,
                "order": person.order,
                "disabled": "yes" if person.disabled else "no",
            }
        )
    return output.getvalue()


def _tree(directory: DirectoryBook, parent: str, above: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Every department under `parent`, each with its path, in manual order."""
    children: dict[str, list[Department]] = {}
    for department in directory.departments.values():
        if not department.removed:
            children.setdefault(department.parent, []).append(department)
    waiting = [(item, above) for item in sorted(children.get(parent, []), key=_order, reverse=True)]
    while waiting:
        department, path = waiting.pop()
        path = [*path, department.name]
        yield department.id, path
        waiting += [(item, path) for item in sorted(children.get(department.id, []), key=_order, reverse=True)]


def _order(department: Department) -> tuple[int, str]:
    return department.order, department.name
