"""The organisation as a file: everything wrong is named, or everything is taken; what is exported can come back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Department, Person
from server_stub import org_csv, org_json
from server_stub.directory import DirectoryBook
from server_stub.errors import ImportRefused
from server_stub.org import Draft, Plan
from server_stub.storage.base import DirectoryRows


def book(people: list[Person] | None = None, departments: list[Department] | None = None) -> DirectoryBook:
    directory = DirectoryBook()
    directory.apply(
        DirectoryRows("e", 1, [(1, item) for item in people or []], [(1, item) for item in departments or []])
    )
    return directory


def from_csv(text: str, directory: DirectoryBook | None = None) -> Plan:
    draft = Draft(directory or book())
    org_csv.read("org.csv", text.encode(), draft)
    return draft.plan()


def from_json(value: object, directory: DirectoryBook | None = None) -> Plan:
    draft = Draft(directory or book())
    org_json.read("org.json", json.dumps(value, indent=1).encode(), draft)
    return draft.plan()


def problems(text: str, directory: DirectoryBook | None = None) -> list[str]:
    with pytest.raises(ImportRefused) as refused:
        from_csv(text, directory)
    assert "nothing was imported" in str(refused.value)
    return refused.value.problems


CSV = """\
login,name,department,title,email,phone,order,password
ann,Ann Example,Sales/Asia,Head,ann@example.org,123,1,first password
bob,鲍勃,Sales/Asia; R&D\\/QA,,,,2,
,,Sales,,,,7,
"""


def test_csv_makes_the_tree_and_the_people() -> None:
    plan = from_csv("\N{ZERO WIDTH NO-BREAK SPACE}" + CSV)
    names = {item.id: item.name for item in plan.departments}
    parents = {item.name: names.get(item.parent, "") for item in plan.departments}
    assert parents == {"Sales": "", "Asia": "Sales", "R&D/QA": ""}
    assert {item.name: item.order for item in plan.departments} == {"Sales": 7, "Asia": 1, "R&D/QA": 2}
    ann, bob = plan.people
    assert (ann.login, ann.title, ann.email, ann.phone, ann.order) == ("ann", "Head", "ann@example.org", "123", 1)
    assert [names[item] for item in bob.departments] == ["Asia", "R&D/QA"]
    assert plan.passwords == {ann.id: "first password"}


def test_a_second_import_changes_what_the_file_gives_and_nothing_else() -> None:
    ann = Person(id="p1", login="Ann", name="Ann", title="Head", phone="1", departments=["d1"])
    sales = Department(id="d1", name="Sales", order=3)
    directory = book([ann], [sales])
    plan = from_csv("login,name,title\nann,Ann New,\n", directory)
    assert plan.people == [Person(id="p1", login="ann", name="Ann New", phone="1", departments=["d1"])]
    assert plan.departments == []
    plan = from_csv("login,name,department\nann,Ann,Sales\n", directory)
    assert plan.people[0].departments == ["d1"]
    assert plan.departments == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",No Login,Sales,,,,,", "login is empty"),
        ("eve,,,,,,,", "at least one character|length >= 1"),
        ("eve,Eve,,,,,first,", "order is not a whole number: 'first'"),
        ("eve,Eve,Sales//Asia,,,,,", "department has a part that is empty"),
        ("eve,Eve,,,,,,short", "a password needs 8 to"),
        ("e ve,Eve,,,,,,", "login has a space in it"),
        ("ANN,Ann again,,,,,,", "login 'ANN' stands already at org.csv, line 2"),
        ("eve,Eve,,,,,,password,more", "9 fields, but 8 columns"),
        ("eve,E\x07ve,,,,,,", "name is blank or has control characters"),
        ("eve," + "x" * 201 + ",,,,,,", "length <= 200"),
        ("eve,Eve,,,,,99999999999,", "order"),
    ],
)
def test_a_wrong_row_is_named_with_its_line_and_reason(row: str, reason: str) -> None:
    header, ann, *_ = CSV.splitlines()
    (problem,) = problems("\n".join((header, ann, "", row)))
    assert problem.startswith("org.csv, line 4: ")
    assert any(one in problem for one in reason.split("|")), problem


def test_all_wrong_rows_are_named() -> None:
    found = problems("login,name,order\n,x,\nbob,Bob,z\nann,Ann,1\n")
    assert [item.partition(":")[0] for item in found] == ["org.csv, line 2", "org.csv, line 3"]


def test_a_wrong_header_or_encoding_is_named() -> None:
    found = problems("login,nmae,login\n")
    assert [item.partition(": ")[2] for item in found] == [
        "there is no column 'nmae'; allowed: " + ", ".join(org_csv.COLUMNS),
        "the column 'name' is missing",
        "the column 'login' stands twice",
    ]
    with pytest.raises(ImportRefused, match="line 2: not UTF-8"):
        org_csv.read("org.csv", "login,name\nann,鲍勃\n".encode("gb18030"), Draft(book()))
    with pytest.raises(ImportRefused, match="not CSV"):
        org_csv.read("org.csv", b'login,name\n"ann"x,Ann\n', Draft(book()))
    assert problems("") == [f"org.csv, line 1: the column '{name}' is missing" for name in ("login", "name")]


def test_disabled_people() -> None:
    assert from_csv("login,name,disabled\nann,Ann,yes\n").people[0].disabled
    assert problems("login,name,disabled\nann,Ann,perhaps\n") == [
        "org.csv, line 2: disabled is neither yes nor no: 'perhaps'"
    ]


DEPARTMENTS = [{"id": "a", "name": "Sales"}, {"id": "b", "name": "Asia", "parent": "a", "order": 2}]


def test_json_names_departments_by_id() -> None:
    plan = from_json({"departments": DEPARTMENTS, "people": [{"login": "ann", "name": "Ann", "departments": ["b"]}]})
    assert plan.departments[1] == Department(id="b", name="Asia", parent="a", order=2)
    assert plan.people[0].departments == ["b"]


@pytest.mark.parametrize(
    ("departments", "people", "reason"),
    [
        ([*DEPARTMENTS, {"id": "a", "name": "x"}], [], "department 'a' stands twice"),
        ([{"id": "a", "name": "A", "parent": "zzz"}], [], "there is no department 'zzz' above 'A'"),
        ([{"id": "a", "name": "A", "parent": "b"}, {"id": "b", "name": "B", "parent": "a"}], [], "under itself"),
        ([{"id": "a", "name": "A", "colour": 1}], [], "unknown field `colour`"),
        ([{"id": "a b", "name": "A"}], [], "matching regex"),
        ([], [{"login": "ann", "name": "Ann", "departments": ["zzz"]}], "there is no department 'zzz'"),
        ([], [{"login": "ann", "name": 5}], "Expected `str`, got `int`"),
        ([], [{"id": "x1", "login": "a", "name": "A"}, {"id": "x1", "login": "b", "name": "B"}], "stands already at"),
        ([], [{"id": "x1", "login": "taken", "name": "A"}], "login 'taken' belongs to somebody else"),
        ([{"id": "old", "name": "Old", "removed": True}], [], "there is no department 'old'"),
    ],
)
def test_wrong_json_is_named(departments: list[object], people: list[object], reason: str) -> None:
    directory = book(
        [Person(id="p9", login="taken", name="Taken", departments=["old"])], [Department(id="old", name="Old")]
    )
    with pytest.raises(ImportRefused, match=reason):
        from_json({"departments": departments, "people": people}, directory)


def test_the_line_of_a_wrong_json_row_is_told() -> None:
    text = '{\n"people": [\n{"login": "ann", "name": "Ann"},\n{"login": "bob"}\n]}'
    draft = Draft(book())
    org_json.read("org.json", text.encode(), draft)
    assert draft.problems == ["org.json, line 4, people[1]: Object missing required field `name`"]
    with pytest.raises(ImportRefused, match="line 2: JSON is malformed"):
        org_json.read("org.json", b'{\n"people": [}', Draft(book()))
    with pytest.raises(ImportRefused, match="unknown field `peple`"):
        org_json.read("org.json", b'{"peple": []}', Draft(book()))


def test_a_department_goes_when_nobody_is_in_it() -> None:
    directory = book([], [Department(id="a", name="A"), Department(id="b", name="B", parent="a")])
    with pytest.raises(ImportRefused, match="cannot be removed: 'B' is in it"):
        from_json({"departments": [{"id": "a", "name": "A", "removed": True}]}, directory)
    gone = [{"id": "a", "name": "A", "removed": True}, {"id": "b", "name": "B", "parent": "a", "removed": True}]
    assert all(item.removed for item in from_json({"departments": gone}, directory).departments)


names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8)


@st.composite
def organisations(draw: st.DrawFn) -> DirectoryBook:
    """A tree of departments, and people in it."""
    departments: list[Department] = []
    for index, name in enumerate(draw(st.lists(names, max_size=6, unique=True))):
        parent = draw(st.sampled_from(["", *(item.id for item in departments)]))
        departments.append(Department(id=f"d{index}", name=name, parent=parent, order=draw(st.integers(0, 3))))
    people: list[Person] = []
    logins = draw(st.lists(names.filter(lambda text: text == text.casefold()), max_size=5, unique=True))
    for index, login in enumerate(logins):
        where = (
            draw(st.lists(st.sampled_from([item.id for item in departments]), max_size=2, unique=True))
            if departments
            else []
        )
        people.append(
            Person(
                id=f"p{index}",
                login=login,
                name=draw(names),
                departments=where,
                title=draw(names),
                order=draw(st.integers(0, 3)),
                disabled=draw(st.booleans()),
            )
        )
    return book(people, departments)


@given(organisations())
def test_json_goes_out_and_comes_back_the_same(directory: DirectoryBook) -> None:
    draft = Draft(book())
    org_json.read("org.json", org_json.export_json(directory).encode(), draft)
    plan = draft.plan()
    assert {item.id: item for item in plan.people} == directory.people
    assert {item.id: item for item in plan.departments} == directory.departments


@given(organisations())
def test_csv_goes_out_and_comes_back_the_same(directory: DirectoryBook) -> None:
    text = org_csv.export_csv(directory)
    plan = from_csv(text)
    assert org_csv.export_csv(book(plan.people, plan.departments)) == text
    assert len(plan.people) == len(directory.people)
    assert len(plan.departments) == len(directory.departments)
    assert from_csv(text, directory).people == sorted(
        directory.people.values(),
        key=lambda person: [item.id for item in from_csv(text, directory).people].index(person.id),
    )


@given(st.lists(st.lists(names, min_size=1, max_size=3), max_size=3))
def test_paths_split_as_they_were_joined(paths: list[list[str]]) -> None:
    assert list(org_csv.split_paths("; ".join(map(org_csv.join_path, paths)))) == paths


def test_a_byte_order_mark_does_no_harm() -> None:
    data = '\N{BYTE ORDER MARK}{"people": [{"login": "ann", "name": "Ann"}]}'
    draft = Draft(book())
    org_json.read("org.json", data.encode(), draft)
    assert [person.login for person in draft.plan().people] == ["ann"]
    assert [person.login for person in from_csv("\N{BYTE ORDER MARK}login,name\nann,Ann\n").people] == ["ann"]
