"""The organisation as JSON: {"departments": [...], "people": [...]}, in which departments are named by their ids."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct, structs

from protocol.messages import Department, Person
from server_stub.directory import DirectoryBook
from server_stub.errors import ImportRefused
from server_stub.org import DepartmentRow, Draft, PersonRow


class _File(Struct, forbid_unknown_fields=True):
    departments: list[Raw] = []
    people: list[Raw] = []


def read(name: str, data: bytes, draft: Draft) -> None:
    """Read a file into the draft, which gathers the problems. Raises ImportRefused where nothing can be read."""
    data = data.removeprefix(codecs.BOM_UTF8)  # which some editors put there
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ImportRefused([f"{name}, {_line_of(data, error)}: {error}"]) from None
    for place, raw in _placed(f"{name}, line", "departments", data, file.departments):
        try:
            draft.department(place, msgspec.json.decode(raw, type=DepartmentRow))
        except (msgspec.ValidationError, UnicodeDecodeError) as error:
            draft.problems.append(f"{place}: {error}")
    for place, raw in _placed(f"{name}, line", "people", data, file.people):
        try:
            draft.person(place, msgspec.json.decode(raw, type=PersonRow))
        except (msgspec.ValidationError, UnicodeDecodeError) as error:
            draft.problems.append(f"{place}: {error}")


def _placed(prefix: str, kind: str, data: bytes, rows: list[Raw]) -> Iterator[tuple[str, Raw]]:
    """Each row with where it stands: line, list and index."""
    offset, line = max(data.find(b'"%s"' % kind.encode()), 0), 1
    counted = 0
    for index, raw in enumerate(rows):
        offset = data.index(raw, offset)
        line += data.count(b"\n", counted, offset)
        counted = offset
        yield f"{prefix} {line}, {kind}[{index}]", raw
        offset += len(memoryview(raw))


def _line_of(data: bytes, error: Exception) -> str:
    """The line of a syntax error, which msgspec gives as a byte's position."""
    match = re.search(r"byte (\d+)", str(error))
    position = int(match.group(1)) if match else 0
    line = data.count(b"\n", 0, position) + 1
    return f"line {line}"


def export_json(directory: DirectoryBook) -> str:
    """The whole organisation, without passwords."""
    file = {
        "departments": [_department_row(item) for item in sorted(directory.departments.values(), key=_place)],
        "people": [_person_row(person) for person in sorted(directory.people.values(), key=_place)],
    }
    return msgspec.json.format(msgspec.json.encode(file), indent=2).decode() + "\n"


def _department_row(department: Department) -> DepartmentRow:
    return DepartmentRow(**structs.asdict(department))


def _person_row(person: Person) -> PersonRow:
    return PersonRow(**structs.asdict(person))


def _place(item: Department | Person) -> tuple[int, str, str]:
    return item.order, item.name, item.id
