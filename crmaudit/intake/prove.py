"""The fast road: proof, at the speed of the disk, that every record of a block is as wide as the header.

Nothing is parsed. Of the bytes only those with a meaning are kept (delimiter, end of line, quote, NUL); in a clean
block they repeat one pattern. Quotes are paired by parity, must stand at the borders of a value or be doubled, and hide
what is between them (RFC 4180).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crmaudit.intake.dialect import Dialect

Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]

BLOCK = 1 << 20
"""Bytes proven at a time, so few that they stay in the cache; no record of a proven block is longer."""


@dataclass(frozen=True)
class Clean:
    """The proven beginning of a block."""

    size: int
    """Bytes, the last end of line included."""
    records: int
    lines: int


class Prover:
    """Proves blocks of one text in one dialect."""

    def __init__(self, dialect: Dialect, *, valid_utf8: bool) -> None:
        self._dialect = dialect
        self._valid_utf8 = valid_utf8
        self._pattern = dialect.delimiter * (dialect.width - 1) + dialect.newline
        self._meaningful = dialect.delimiter + b"\r\n\0" + dialect.quote
        self._other_bytes = bytes(set(range(256)) - set(self._meaningful))
        self._printable = bytes(set(range(0x20, 0x7F)) - set(self._meaningful))
        self.is_plain = dialect.delimiter != b" "
        """Whether all that was proven is printable ASCII, one line a record, without blanks around values."""
        self._patterns = self._pattern * (BLOCK // len(self._pattern) + 1)
        # A record of nothing and the header met again are for the careful road to set aside.
        self._header = None if dialect.header_line is None else dialect.header_line + dialect.newline
        # What a line of nothing begins with; looked for first, since two bytes are found faster than many.
        self._line_of_nothing = int.from_bytes((dialect.newline[-1:] + self._pattern)[:2], "little")

    def clean(self, block: bytes, *, at_end: bool) -> Clean | None:
        """The longest beginning of `block` (which begins a record) that ends a record, if all of it is clean.

        `at_end`: the block reaches the end of the text, where the last end of line may be missing.
        """
        newline = self._dialect.newline
        if newline == b"\r":
            return None
        whole = len(block)
        if at_end and not block.endswith(newline):
            block += newline
        end = self._last_record_end(block)
        if end == 0 or (at_end and end < len(block)):
            return None
        block = block[:end]
        if self._has_oddities(block):
            return None
        marks = self._marks(block)
        if self._dialect.quote and b'"' in marks:
            records = self._quoted(block, marks)
            lines = block.count(newline[-1:])
            self.is_plain &= lines == records
        else:
            records = lines = self._repetitions(marks)
        return Clean(min(end, whole), records, lines) if records else None

    def _marks(self, block: bytes) -> bytes:
        """The bytes of the block that have a meaning."""
        if self.is_plain:
            marks = block.translate(None, self._printable)
            is_printable = not marks.translate(None, self._meaningful)
            self.is_plain = is_printable and not self._has_blanks_around_values(block)
            if is_printable:
                return marks
        return block.translate(None, self._other_bytes)

    def _has_blanks_around_values(self, block: bytes) -> bool:
        if b" " not in block:
            return False
        characters = np.frombuffer(block, dtype=np.uint8)
        blanks = np.flatnonzero(characters == ord(" "))
        # The last byte ends a line, so that every blank has one after it; the first of all has the last before it.
        neighbours = np.concatenate([characters[blanks - 1], characters[blanks + 1]])
        return bool(self._is_border(neighbours).any())

    def _last_record_end(self, block: bytes) -> int:
        """Where the last record ends: after the last end of line that no open quote precedes."""
        newline = self._dialect.newline
        end = block.rfind(newline) + len(newline)
        if end < len(newline):
            return 0
        if not self._dialect.quote or b'"' not in block:
            return end
        is_open = block.count(b'"', 0, end) % 2
        while is_open and end > 0:
            before = block.rfind(newline, 0, end - len(newline)) + len(newline)
            if before < len(newline):
                return 0
            is_open ^= block.count(b'"', before, end) % 2
            end = before
        return end

    def _has_oddities(self, block: bytes) -> bool:
        newline = self._dialect.newline
        if self._begins_a_line(self._header, block):
            return True
        if block.startswith(self._pattern) or (
            _has_pair(block, self._line_of_nothing) and newline + self._pattern in block
        ):
            return True
        if newline == b"\r\n" and block.count(b"\r") != block.count(b"\r\n"):
            return True
        if self._valid_utf8 or block.isascii():
            return False
        try:
            block.decode("utf-8")
        except UnicodeDecodeError:
            return True
        return False

    def _begins_a_line(self, text: bytes | None, block: bytes) -> bool:
        return text is not None and (block.startswith(text) or self._dialect.newline + text in block)

    def _repetitions(self, marks: bytes) -> int:
        """How often the pattern of one record is repeated; 0 where anything else is met."""
        count, rest = divmod(len(marks), len(self._pattern))
        return count if rest == 0 and self._patterns.startswith(marks) else 0

    def _quoted(self, block: bytes, marks: bytes) -> int:
        if b"\0" in marks:
            return 0
        kept = np.frombuffer(marks, dtype=np.uint8)
        is_quote = kept == ord('"')
        inside = np.bitwise_xor.accumulate(is_quote)
        records = self._repetitions(kept[~(inside | is_quote)].tobytes())
        return records if records and self._quotes_are_placed(block) else 0

    def _quotes_are_placed(self, block: bytes) -> bool:
        """Whether each quote opens a value after a delimiter, closes it before one, or is one of two."""
        characters = np.frombuffer(block, dtype=np.uint8)
        places = np.flatnonzero(characters == ord('"'))
        before = characters[places[0::2] - 1]
        if places[0] == 0:
            before = before[1:]
        after = characters[places[1::2] + 1]
        return self._borders(before, self._dialect.newline[-1]) and self._borders(after, self._dialect.newline[0])

    def _borders(self, neighbours: Bytes, newline: int) -> bool:
        delimiter = self._dialect.delimiter[0]
        fine = (neighbours == delimiter) | (neighbours == newline) | (neighbours == ord('"'))
        return bool(fine.all())

    def _is_border(self, characters: Bytes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return np.isin(characters, np.frombuffer(self._dialect.delimiter + b'\r\n"', dtype=np.uint8))


def _has_pair(block: bytes, pair: int) -> bool:
    """Whether two bytes, given as a little-endian number, stand next to each other anywhere."""
    for start in (0, 1):
        pairs = np.frombuffer(block, dtype="<u2", count=(len(block) - start) // 2, offset=start)
        if (pairs == pair).any():
            return True
    return False
