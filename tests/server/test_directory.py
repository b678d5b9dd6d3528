"""The directory: pages and deltas, and a reader who is half-way when something changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import Department, Directory, Person
from server_stub.directory import DirectoryBook
from server_stub.storage.base import DirectoryRows


def rows(version: int, *people: Person, departments: tuple[Department, ...] = ()) -> DirectoryRows:
    return DirectoryRows(
        "epoch", version, [(version, person) for person in people], [(version, item) for item in departments]
    )


def person(number: int, title: str = "") -> Person:
    return Person(id=f"p{number}", login=f"login{number}", name=f"Person {number}", title=title)


class Reader:
    """A client's copy, kept up to date by pages."""

    def __init__(self) -> None:
        self.cursor = ""
        self.people: dict[str, Person] = {}
        self.departments: dict[str, Department] = {}

    def read(self, book: DirectoryBook, limit: int = 2_000) -> Directory:
        page = book.page(1, self.cursor, limit, 10**9)
        self.cursor = page.cursor
        self.people.update({item.id: item for item in page.people})
        self.departments.update({item.id: item for item in page.departments})
        return page


def test_a_log_in_name_that_passes_on_finds_its_new_owner() -> None:
    for order in (("a", "b"), ("b", "a")):
        book = DirectoryBook()
        book.apply(rows(1, Person(id="a", login="ann", name="Ann"), Person(id="b", login="bob", name="Bob")))
        after = {"a": Person(id="a", login="anna", name="Ann"), "b": Person(id="b", login="ann", name="Bob")}
        book.apply(rows(2, *(after[name] for name in order)))
        assert [book.by_login(login) for login in ("ann", "anna", "bob")] == [after["b"], after["a"], None]


def test_capitals_widths_and_accents_do_not_make_another_log_in_name() -> None:
    book = DirectoryBook()
    book.apply(rows(1, Person(id="r", login="Rene\N{COMBINING ACUTE ACCENT}", name="René")))
    for typed in ("ren\N{LATIN SMALL LETTER E WITH ACUTE}", " RENE\N{COMBINING ACUTE ACCENT} ", "ｒｅｎé"):
        found = book.by_login(typed)
        assert found is not None, typed
        assert found.id == "r"
    assert book.by_login("rene") is None


def test_a_full_download_is_a_delta_from_nothing() -> None:
    book = DirectoryBook()
    book.apply(rows(1, person(1), person(2), departments=(Department(id="d1", name="Sales"),)))
    reader = Reader()
    assert reader.read(book, limit=2).more
    assert not reader.read(book, limit=2).more
    assert (reader.people, reader.departments) == (book.people, book.departments)
    book.apply(rows(2, person(2, "Head")))
    page = reader.read(book)
    assert [item.title for item in page.people] == ["Head"]
    assert reader.read(book).people == []


def test_pages_end_where_the_bytes_do() -> None:
    book = DirectoryBook()
    book.apply(rows(1, *(person(number) for number in range(100))))
    page = book.page(1, "", 2_000, 1_000)
    assert 0 < len(page.people) < 10
    assert page.more


def test_a_cursor_of_another_database_counts_as_none() -> None:
    book = DirectoryBook()
    book.apply(rows(1, person(1)))
    for cursor in ("other.1.p.p1", "epoch.x.p.p1", "epoch", "epoch.1", ".", "epoch.99999999999999999999.p.p1", "é"):
        assert book.page(1, cursor, 10, 10**9).people == [person(1)], cursor
    assert book.page(1, "epoch.1.p.p1", 10, 10**9).people == []


def test_an_empty_directory_has_a_page_too() -> None:
    assert DirectoryBook().page(1, "", 10, 10**9) == Directory(re=1, departments=[], people=[], cursor="")


def test_logins_are_found_without_regard_to_capitals_and_move_with_their_person() -> None:
    book = DirectoryBook()
    book.apply(rows(1, Person(id="p1", login="Straße", name="x")))
    found = book.by_login(" STRASSE ")
    assert found is not None
    assert found.id == "p1"
    book.apply(rows(2, Person(id="p1", login="renamed", name="x")))
    assert book.by_login("straße") is None
    assert book.by_login("renamed") is not None


def test_the_same_rows_twice_change_nothing() -> None:
    book = DirectoryBook()
    assert book.apply(rows(1, person(1))) == [person(1)]
    assert book.apply(rows(1, person(1))) == []
    assert len(book.page(1, "", 10, 10**9).people) == 1


@given(st.lists(st.one_of(st.lists(st.integers(0, 9), min_size=1, max_size=4), st.integers(1, 3)), max_size=40))
def test_a_reader_at_any_pace_ends_with_everything(steps: list[list[int] | int]) -> None:
    book = DirectoryBook()
    reader = Reader()
    version = 0
    for step in steps:
        if isinstance(step, int):
            reader.read(book, limit=step)
        else:
            version += 1
            book.apply(rows(version, *(person(number, str(version)) for number in set(step))))
    while reader.read(book, limit=3).more:
        pass
    assert reader.people == book.people
