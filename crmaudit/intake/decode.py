"""What a file is by its first bytes, and its text as UTF-8."""

from __future__ import annotations

import codecs
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cchardet

from crmaudit.intake.raw import Unreadable

Content = Literal["text", "json", "parquet", "workbook"]

HEAD = 1 << 16
_CHUNK = 1 << 22
_WORKBOOK_SUFFIXES = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
_OTHER_KINDS = (
    (b"\x1f\x8b", "is compressed (gzip).", "Unpack it and run again."),
    (b"PK\x03\x04", "is a ZIP archive.", "Unpack it and run again."),
    (b"PK\x05\x06", "is an empty ZIP archive.", "Export the data again."),
    (b"7z\xbc\xaf", "is compressed (7-Zip).", "Unpack it and run again."),
    (b"BZh", "is compressed (bzip2).", "Unpack it and run again."),
    (b"\x28\xb5\x2f\xfd", "is compressed (zstd).", "Unpack it and run again."),
    (b"%PDF", "is a PDF document.", "Export the data as CSV."),
    (b"\x89PNG", "is a picture.", "Export the data as CSV."),
    (b"\xff\xd8\xff", "is a picture.", "Export the data as CSV."),
    (b"SQLite format 3", "is an SQLite database.", "Export its tables as CSV."),
    (b"{\\rtf", "is a rich text document.", "Export the data as CSV."),
)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|table|script|!--)", re.I)
_XML = re.compile(rb"<\?xml|<[A-Za-z][\w:.-]*[\s>]")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class Utf8:
    """A file whose bytes are UTF-8, the original where it is so already."""

    path: Path
    start: int
    """Bytes to skip: those of the byte order mark."""
    valid: bool
    """False when some lines are not valid UTF-8; those are to be rejected one by one."""
    notes: tuple[str, ...] = ()


def content(path: Path, name: str) -> Content:
    """What the file holds, by its bytes first and its ending second; Unreadable where it holds no table.

    `name` is the path to show to the user.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise Unreadable(name, f"cannot be opened: {error.strerror}.", "Check the file and its permissions.") from error
    suffix = path.suffix.lower()
    if not head:
        raise Unreadable(name, "is empty: 0 bytes.", "Export it again.")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"\xd0\xcf\x11\xe0") or (
        head.startswith(b"PK\x03\x04") and (suffix in _WORKBOOK_SUFFIXES or b"[Content_Types].xml" in head[:4096])
    ):
        return "workbook"
    for magic, problem, way_out in _OTHER_KINDS:
        if head.startswith(magic):
            raise Unreadable(name, problem, way_out)
    if suffix in _WORKBOOK_SUFFIXES or suffix in {".parquet", ".pq"}:
        raise Unreadable(name, f"is no {suffix[1:]} file, whatever its name says.", "Export it again.")
    is_wide = _wide_encoding(head) is not None
    start = _narrow(head).removeprefix(codecs.BOM_UTF8).lstrip()
    if _HTML.match(start):
        raise Unreadable(name, "is a web page, perhaps a login page saved in place of the export.", "Export it again.")
    if _XML.match(start):
        raise Unreadable(name, "is XML.", "Export the data as CSV.")
    if not start:
        raise Unreadable(name, "holds nothing but white space.", "Export it again.")
    if start[:1] in b"{[" and (suffix in {".json", ".ndjson", ".jsonl"} or re.match(rb'[{\[]\s*["{\[}\]]', start)):
        return "json"
    if not is_wide and _is_binary(head):
        raise Unreadable(name, "holds binary data, not text.", "Export the data as CSV.")
    return "text"


def _wide_encoding(head: bytes) -> tuple[str, int] | None:
    """UTF-16 or UTF-32, and the bytes of its byte order mark; None for all others."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    without_mark = _utf16_without_mark(head)
    return None if without_mark is None else (without_mark, 0)


def _narrow(head: bytes) -> bytes:
    wide = _wide_encoding(head)
    return head if wide is None else head[wide[1] :].decode(wide[0], errors="ignore").encode()


def _is_binary(head: bytes) -> bool:
    control = sum(head.count(byte) for byte in range(32) if byte not in b"\t\n\v\f\r\0\x1a\x1c\x1d\x1e\x1f")
    first_nul = head.find(b"\0")
    # A file that was half written ends in NULs; a binary one has them among its data.
    nuls_within = 0 <= first_nul < min(len(head), 512) and head.count(b"\0") > len(head) / 20
    return nuls_within or control > max(4, len(head) / 50)


def _utf16_without_mark(head: bytes) -> str | None:
    pairs = len(head) // 2
    if pairs < 4:
        return None
    if head[1::2].count(0) > 0.4 * pairs and head[0::2].count(0) < 0.05 * pairs:
        return "utf-16-le"
    if head[0::2].count(0) > 0.4 * pairs and head[1::2].count(0) < 0.05 * pairs:
        return "utf-16-be"
    return None


def as_utf8(path: Path, name: str, workdir: Path) -> Utf8:
    """The text of a file as UTF-8: in place where it is so already, else a copy in `workdir`.

    Byte order marks decide; then strict UTF-8; then the encoding that fits every line, cp1252 where it reads as
    Western text. What fits none stays as it is, and its lines are rejected where they are met.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(codecs.BOM_UTF8):
        return Utf8(path, 3, valid=_is_utf8(path))
    wide = _wide_encoding(head)
    if wide is not None:
        encoding, mark = wide
        note = f"read as {encoding[:6].upper()}" + ("" if mark else ", though it has no byte order mark")
        return _copy(path, name, workdir, encoding, skip=mark, note=note)
    if _is_utf8(path):
        return Utf8(path, 0, valid=True)
    encoding_found, note = _legacy_encoding(b"\n".join(_lines_beyond_ascii(path)))
    if encoding_found is None:
        return Utf8(path, 0, valid=False, notes=(note,))
    return _copy(path, name, workdir, encoding_found, skip=0, note=note)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    pending = False
    try:
        for chunk in _chunks(path):
            if pending or not chunk.isascii():
                decoder.decode(chunk)
                pending = bool(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _chunks(path: Path, start: int = 0) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while chunk := file.read(_CHUNK):
            yield chunk


def _lines_beyond_ascii(path: Path, enough: int = 1 << 18) -> Iterator[bytes]:
    found = 0
    for chunk in _chunks(path):
        for match in re.finditer(rb"[^\r\n]{0,200}[\x80-\xff][^\r\n]{0,200}", chunk):
            found += len(match.group())
            yield match.group()
            if found > enough:
                return


_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_RARE = frozenset("ÿþÞðÐ¬¦¤×÷¹²³¸¨¯­ƒˆ˜Ÿ")
_WORD = re.compile(r"[^\W\d_]+")


def _legacy_encoding(sample: bytes) -> tuple[str | None, str]:
    """(encoding, note) for text that is not UTF-8; no encoding when its odd bytes are damage rather than letters."""
    whole, rest = _MULTIBYTE.subn(b"", sample)[::-1]
    loose = len(re.findall(rb"[\x80-\xff]", rest))
    if whole >= loose:
        return None, "the file is UTF-8 but for some bytes; the lines that hold them are rejected"
    if _reads_as_western(sample):
        return "cp1252", "the file is not UTF-8; it was read as Windows-1252 (Western European)"
    guess = cchardet.detect(sample)
    encoding, confidence = guess["encoding"], guess["confidence"] or 0.0
    if encoding is not None and confidence >= 0.7 and _decodes(sample, encoding):
        characters = sample.decode(encoding)
        # Detectors need some text: a word or two fit nearly every encoding, and multi-byte ones need more.
        words = {word for word in _WORD.findall(characters) if not word.isascii()}
        enough = len(words) >= 4 if len(characters) == len(sample) else loose >= 40
        if enough:
            return encoding, f"the file is not UTF-8; it was read as {encoding}, which fits best"
    return None, "some bytes are not UTF-8 and no other encoding fits; the lines that hold them are rejected"


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _reads_as_western(sample: bytes) -> bool:
    """Whether the bytes beyond ASCII are accents inside words that are mostly ASCII, and usual signs, in cp1252."""
    text = sample.decode("cp1252", errors="replace")
    odd = sum(1 for character in text if character == "\ufffd" or character in _RARE)
    beyond = sum(1 for character in text if ord(character) > 127)
    if odd * 2 > beyond:
        return False
    accented = [word for word in _WORD.findall(text) if not word.isascii()]
    letters = sum(len(word) for word in accented)
    high = sum(1 for word in accented for character in word if ord(character) > 127)
    inside = len(
        re.findall(r"[^\W\d_][\u2018-\u201e£¥¢§©®°±µ¶·»¿¡«†‡‰‹›][a-z]|[£¥¢§¶†‡][a-zà-ÿ]", text.replace("’", ""))
    )
    return high <= 0.5 * letters and inside * 4 <= beyond


def _copy(path: Path, name: str, workdir: Path, encoding: str, *, skip: int, note: str) -> Utf8:
    # cp1252 leaves five bytes undefined: they stay as they are, so that their lines are rejected and no others.
    errors = "surrogateescape" if encoding == "cp1252" else "strict"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    valid = True
    notes = [note]
    with tempfile.NamedTemporaryFile(dir=workdir, prefix="decoded-", suffix=".txt", delete=False) as copy:
        target = Path(copy.name)
        try:
            for chunk in _chunks(path, skip):
                encoded = decoder.decode(chunk).encode("utf-8", errors="surrogateescape")
                if errors != "strict" and valid:
                    valid = not _has_bad_byte(encoded)
                copy.write(encoded)
        except UnicodeError as error:
            raise Unreadable(
                name, f"is not valid {encoding} throughout ({error}).", "Export it again, as UTF-8."
            ) from error
        if decoder.getstate()[0]:
            notes.append("the file ends in the middle of a character: it was cut")
    return Utf8(target, 0, valid, tuple(notes))


def _has_bad_byte(encoded: bytes) -> bool:
    try:
        encoded.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False
