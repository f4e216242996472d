"""Taking in what a sender sends: kept safely and put in the queue; it is not looked at here."""

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from mediaguard.app import App
from mediaguard.core.names import Named, Text
from mediaguard.errors import StoreError
from mediaguard.pipeline.admit import admit_again
from mediaguard.store.book import ChannelBook
from mediaguard.store.items import Items
from mediaguard.web.fetching import Fetcher
from mediaguard.web.forms import parse_form
from mediaguard.web.items import links_of, state_of
from mediaguard.web.models import MediaByUrl
from mediaguard.web.once import Answer
from mediaguard.web.problems import Problem, invalid
from mediaguard.web.senders import Sender, Signed
from mediaguard.web.spool import Spool, too_large

TEXTS = ("caption", "alt_text", "title", "file_name")

_BUSY_TRIES, _BUSY_WAIT = 4, 0.5


@dataclass(frozen=True, slots=True)
class Asked:
    """What a sender wants of a file.

    Attributes:
        channel: where it is to go.
        groups: in which subjects are looked for; empty for all.
        texts: what goes with it, by field.
    """

    channel: str
    groups: Sequence[str]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Taken:
    """An item that a sender brought.

    Attributes:
        answer: for the sender; kept for when the request comes again.
        named: as in `TakenIn`.
    """

    answer: Answer
    named: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A file that is kept safely.

    Attributes:
        item_id: of its content, on the channel.
        state: of the item, in the words of the API.
        named: names in its texts of those who may not be shown, as `field` and `word`; told once
            and not kept.
    """

    item_id: str
    state: str
    named: list[dict[str, str]]


class Intake:
    """Takes items in.

    Args:
        app: the home.
        fetcher: for media by reference.
        folder: the protected one, for what is fetched.
    """

    def __init__(self, app: App, fetcher: Fetcher, folder: Path) -> None:
        self._app = app
        self._fetcher = fetcher
        self._folder = folder

    @property
    def limit(self) -> int:
        """Bytes of the largest file that is taken in."""
        return max(self._app.max_bytes, self._app.config.limits.max_video_mb * 1_000_000)

    def upload(self, signed: Signed, content_type: str) -> Taken:
        """The file and texts of a form.

        Raises:
            Problem: the form is not whole, or asks for what the sender may not.
        """
        body = signed.body
        form = parse_form(content_type, body.data, ("channel", *TEXTS))
        if form.file is None:
            raise Problem(422, "web-field-missing", field="file")
        if "channel" not in form.fields:
            raise Problem(422, "web-field-missing", field="channel")
        start, end = form.file
        texts = {name: form.fields[name] for name in TEXTS if name in form.fields}
        if form.file_name:
            texts.setdefault("file_name", form.file_name)
        asked = Asked(form.fields["channel"], form.groups, texts)
        return self._take(signed.sender, asked, lambda: body.part(start, end))

    def fetch(self, signed: Signed) -> Taken:
        """The file at an address, with texts.

        Raises:
            Problem: the request is not right, or the file may not be fetched or could not be.
        """
        try:
            request = MediaByUrl.model_validate(read_json(signed))
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            raise Problem(422, "web-invalid", detail=invalid(found)) from None
        sender = signed.sender
        sender.require_channel(request.channel)
        texts = {name: value for name in TEXTS if (value := getattr(request, name)) is not None}
        asked = Asked(request.channel, request.groups, texts)
        spool = Spool(self._folder, self.limit)
        try:
            self._fetcher.fetch(request.url, sender.settings.fetch_hosts, spool)
            return self._take(sender, asked, lambda: spool.part(0, spool.size))
        finally:
            spool.close()

    def _take(self, sender: Sender, asked: Asked, open_file: Callable[[], BinaryIO]) -> Taken:
        sender.require_channel(asked.channel)
        taken = take_in(self._app.acting_as(sender.actor), asked, open_file)
        body = {
            "id": taken.item_id,
            "state": taken.state,
            "links": links_of(taken.item_id),
            "named": [{"field": one["field"], "word": None} for one in taken.named],
        }
        tell = sender.settings.callback is not None
        return Taken(Answer(202, body, taken.item_id, tell), taken.named)


def take_in(app: App, asked: Asked, open_file: Callable[[], BinaryIO]) -> TakenIn:
    """Keep a file safely, and put it in the queue; when this returns it will be decided on.

    Args:
        app: the home, in the hands of whoever brings the file.
        asked: what they want; they may use that channel.
        open_file: gives the content anew each time.

    Raises:
        Problem: the file is too large.
        InputError: nobody is in one of the groups.
        StoreError: it could not be kept, or it is being handled as it was asked for before.
    """
    app.require_groups(asked.groups)
    admitted = admit_again("upload", open_file)
    video = app.config.limits.max_video_mb * 1_000_000
    limit = app.max_bytes if admitted.container is None else video
    if admitted.size > limit:
        raise too_large(limit)
    named = app.named_in(Text(**asked.texts)) if asked.texts else ()
    subjects = {one.subject_id for one in named} if asked.texts else None
    book = app.book(asked.channel)
    item_id = book.item_id(admitted.sha256)
    book.admit(item_id, admitted.kind)
    if _state(app, item_id) != "rejected":  # by a person: that it is sent again changes nothing
        with admitted.open() as file:
            app.vault.put(item_id, file)
        _begin(book, item_id, subjects, asked.groups)
    return TakenIn(item_id, _state(app, item_id), _not_allowed(book, named))


def _state(app: App, item_id: str) -> str:
    with app.database.read() as session:
        return state_of(Items(session).get(item_id))


def _begin(
    book: ChannelBook, item_id: str, named: Collection[str] | None, groups: Collection[str]
) -> None:
    for attempt in range(_BUSY_TRIES):
        try:
            with book.held(item_id):
                book.begin(item_id, named, groups)
                return
        except StoreError as error:
            if error.code != "item-busy":
                raise
            if attempt + 1 < _BUSY_TRIES:
                time.sleep(_BUSY_WAIT)
            elif not (
                _covers(book.groups(item_id), groups)
                and (named is None or set(book.named(item_id)) == set(named))
            ):
                raise
            # Otherwise somebody is at this very content already, just as it is asked for.


def _covers(recorded: Collection[str], groups: Collection[str]) -> bool:
    """Whether subjects of these groups are looked for; no group stands for everybody."""
    return not recorded or (bool(groups) and set(groups) <= set(recorded))


def _not_allowed(book: ChannelBook, named: Sequence[Named]) -> list[dict[str, str]]:
    rulings = book.rulings({one.subject_id for one in named})
    words = {
        (one.field, one.word)
        for one in named
        if not (one.subject_id in rulings and rulings[one.subject_id].allowed)
    }
    return [{"field": field, "word": word} for field, word in sorted(words)]


def read_json(signed: Signed) -> Any:
    """The body as JSON.

    Raises:
        Problem: it is none.
    """
    try:
        return json.loads(bytes(signed.body.data))
    except (ValueError, RecursionError):
        raise Problem(400, "web-json") from None
