"""Uploads as forms: where in a body that was checked each of its parts lies.

The file is never copied out of the body; it is read where it lies.
"""

import mmap
from collections.abc import Collection
from dataclasses import dataclass, field

from python_multipart.multipart import parse_options_header

from mediaguard.web.problems import Problem

_HEADERS = 4096
_PARTS = 20
_LONGEST_FIELD = 100_000


@dataclass(slots=True)
class Form:
    """The parts of a form.

    Attributes:
        fields: texts by name.
        groups: the field that may be there several times.
        file: where the file begins and ends in the body; None if there is none.
        file_name: as the sender calls it.
    """

    fields: dict[str, str] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    file: tuple[int, int] | None = None
    file_name: str = ""


def parse_form(content_type: str, data: bytearray | mmap.mmap, known: Collection[str]) -> Form:
    """The form in `data`.

    Args:
        content_type: with its boundary.
        data: the body.
        known: which fields there may be, beside `file` and `groups`.

    Raises:
        Problem: it is not a whole form, or has something that nobody knows.
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not 1 <= len(boundary) <= 200:
        raise _broken()
    begin, delimiter = b"--" + boundary, b"\r\n--" + boundary
    if data[: len(begin)] != begin:
        raise _broken()
    form, position = Form(), len(begin)
    for _ in range(_PARTS):
        mark = bytes(data[position : position + 2])
        if mark == b"--":
            return form
        head = data.find(b"\r\n\r\n", position, position + _HEADERS)
        if mark != b"\r\n" or head < 0:
            raise _broken()
        headers = bytes(data[position + 2 : head])
        end = data.find(delimiter, head + 4)
        if end < 0:
            raise _broken()
        _take(form, headers, data, head + 4, end, known)
        position = end + len(delimiter)
    raise _broken()


def _take(
    form: Form,
    headers: bytes,
    data: bytearray | mmap.mmap,
    start: int,
    end: int,
    known: Collection[str],
) -> None:
    options: dict[bytes, bytes] = {}
    for line in headers.split(b"\r\n"):
        header, _, value = line.partition(b":")
        if header.strip().lower() == b"content-disposition":
            disposition, options = parse_options_header(value.strip())
            if disposition != b"form-data":
                raise _broken()
    field_name = _text("name", options.get(b"name", b""))
    if field_name == "file":
        if form.file is not None:
            raise Problem(422, "web-field-twice", field=field_name)
        form.file = (start, end)
        form.file_name = _text("file_name", options.get(b"filename", b""))
        return
    if field_name not in (*known, "groups"):
        raise Problem(
            422, "web-field-unknown", field=field_name[:50], known=", ".join(sorted(known))
        )
    if field_name in form.fields:
        raise Problem(422, "web-field-twice", field=field_name)
    if end - start > _LONGEST_FIELD:
        raise Problem(422, "web-field-long", field=field_name)
    text = _text(field_name, bytes(data[start:end]))
    if field_name == "groups":
        form.groups.append(text)
    else:
        form.fields[field_name] = text


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem(422, "web-field-text", field=name) from None


def _broken() -> Problem:
    return Problem(400, "web-form-broken")
