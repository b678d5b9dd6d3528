"""Finding people and departments as one types: every word must match somewhere, beginnings of names come first.

One long lower-case text holds everybody, a line each; str.find does the work. The offsets of the lines lead back.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

MOST_HITS: Final = 1_000
"""Nobody reads further; stopping there keeps a single letter quick."""


def words(query: str) -> list[str]:
    """The words of a query, longest first, lower case."""
    return sorted({word for word in query.lower().split() if word}, key=len, reverse=True)


def line(*fields: str) -> str:
    """A line of the index: lower case, single blanks, so that every word begins after a blank or at the start."""
    return " ".join(" ".join(fields).lower().split())


class Index:
    """`entries` are ids with their lines."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self._ids: list[str] = []
        self._starts: list[int] = []
        parts = []
        at = 0
        for id, text in entries:
            self._ids.append(id)
            self._starts.append(at)
            parts.append(text)
            at += len(text) + 1
        self._text = "\n" + "\n".join(parts) + "\n"

    def find(self, query: str) -> list[str]:
        """Ids of what matches, best first, at most MOST_HITS: names that begin so, words that begin so, the rest."""
        wanted = words(query)
        if not wanted:
            return []
        rarest = min(wanted, key=self._text.count)
        others = [word for word in wanted if word != rarest]
        found: dict[str, None] = {}
        for pattern in ("\n" + rarest, " " + rarest, rarest):
            for id in self._hits(pattern, others):
                found[id] = None
                if len(found) >= MOST_HITS:
                    return list(found)
        return list(found)

    def _hits(self, pattern: str, others: list[str]) -> Iterator[str]:
        text, starts = self._text, self._starts
        at = text.find(pattern)
        while at >= 0:
            number = bisect_right(starts, at) - 1  # starts[n] is the place of the line break before line n
            begin = starts[number] + 1
            end = text.find("\n", begin)
            if all(word in text[begin:end] for word in others):
                yield self._ids[number]
            at = text.find(pattern, end)
