"""Finding people and departments as one types: every word must match somewhere, beginnings of names come first.

One long lower-case text holds everybody, a line each, department by department; bytes.find does the work, and the
offsets of the lines lead back. UTF-8, because a byte is quicker to look for than a wide character, and no character's
bytes begin inside another's. A word that a department's path holds matches all of its people without a look at them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

MOST_HITS: Final = 500
"""Nobody reads further; stopping there keeps a single letter quick."""

SAMPLE_BYTES: Final = 100_000
"""So much of the text tells how rare a word is."""


def words(query: str) -> list[str]:
    """The words of a query, each once, in lower case."""
    return list(dict.fromkeys(query.lower().split()))


def matches(query: str, text: str, path: str) -> bool:
    """Whether every word is in the line or in the path: what Index finds, for a single entry."""
    return all(word in text or word in path for word in words(query))


def line(*fields: str) -> str:
    """A line of the index: lower case, single blanks, so that every word begins after a blank or at the start."""
    return " ".join(" ".join(fields).lower().split())


@dataclass(frozen=True, slots=True)
class _Word:
    text: bytes
    groups: frozenset[str]
    """Groups whose path holds the word: all of their entries match it."""


class Index:
    """`entries` are (id, group, line); `groups` gives each group's path in lower case."""

    def __init__(self, entries: Iterable[tuple[str, str, str]], groups: Mapping[str, str]) -> None:
        self._ids: list[str] = []
        self._starts: list[int] = []
        """Where the line break before each line is."""
        self._groups: list[str] = []
        self._blocks: dict[str, range] = {}
        self._paths = groups
        parts = []
        at = 0
        for number, (id, group, text) in enumerate(sorted(entries, key=lambda entry: entry[1])):
            self._ids.append(id)
            self._starts.append(at)
            self._groups.append(group)
            block = self._blocks.get(group)
            self._blocks[group] = range(number if block is None else block.start, number + 1)
            parts.append(text.encode())
            at += len(parts[-1]) + 1
        self._text = b"\n" + b"\n".join(parts) + b"\n"

    def find(self, query: str) -> list[str]:
        """Ids of what matches, at most MOST_HITS: lines that begin so, words that begin so, then the rest."""
        wanted = [self._word(text) for text in words(query)]
        if not wanted or any(not word.groups and word.text not in self._text for word in wanted):
            return []
        first, *others = sorted(wanted, key=self._frequency)  # what fails most is tried first
        found = list(islice(self._lines(first.text, others), MOST_HITS))
        if len(found) == MOST_HITS:  # there are more: the best ones must not be cut off
            best = islice(self._lines(b"\n" + first.text, others), MOST_HITS)
            good = islice(self._lines(b" " + first.text, others), MOST_HITS)
            found = list(dict.fromkeys([*best, *good, *found]))
        else:
            found.sort(key=lambda number: self._rank(number, first.text))
            found = list(dict.fromkeys([*found, *self._members(first, others, MOST_HITS)]))
        return [self._ids[number] for number in found[:MOST_HITS]]

    def _word(self, text: str) -> _Word:
        return _Word(text.encode(), frozenset(group for group, path in self._paths.items() if text in path))

    def _frequency(self, word: _Word) -> float:
        """Of matches, as far as a sample tells."""
        part = min(1.0, SAMPLE_BYTES / len(self._text))
        members = sum(len(self._blocks.get(group, ())) for group in word.groups)
        return self._text.count(word.text, 0, SAMPLE_BYTES) / part + members

    def _lines(self, pattern: bytes, others: list[_Word]) -> Iterator[int]:
        """Numbers of the lines that hold the pattern and match the other words."""
        text, starts = self._text, self._starts
        at = text.find(pattern)
        while at >= 0:
            number = bisect_right(starts, at) - 1
            end = starts[number + 1] if number + 1 < len(starts) else len(text) - 1
            if self._matches(number, end, others):
                yield number
            at = text.find(pattern, end)

    def _members(self, word: _Word, others: list[_Word], most: int) -> list[int]:
        """Numbers of those whose group matches the word."""
        numbers = (number for group in word.groups for number in self._blocks.get(group, ()))
        starts, last = self._starts, len(self._starts) - 1
        return list(
            islice(
                (
                    number
                    for number in numbers
                    if self._matches(number, starts[number + 1] if number < last else len(self._text) - 1, others)
                ),
                most,
            )
        )

    def _matches(self, number: int, end: int, others: list[_Word]) -> bool:
        begin = self._starts[number]
        return all(
            self._groups[number] in word.groups or self._text.find(word.text, begin, end) >= 0 for word in others
        )

    def _rank(self, number: int, text: bytes) -> int:
        begin = self._starts[number]
        if self._text.startswith(text, begin + 1):
            return 0
        end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self._text)
        return 1 if self._text.find(b" " + text, begin, end) >= 0 else 2
