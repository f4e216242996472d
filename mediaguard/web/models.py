"""What the API takes and gives, for its documentation; and what a request has to look like."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mediaguard.core.consent import UNATTRIBUTED

Short = Annotated[str, Field(max_length=200)]
Words = Annotated[str, Field(max_length=20_000)]
PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
SubjectId = Annotated[str, Field(min_length=1, max_length=64, pattern=PRINTABLE)]


class MediaByUrl(BaseModel):
    """A photo or video that is fetched from the sender's own host."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=2000)]
    channel: Short
    groups: Annotated[list[Short], Field(max_length=10)] = Field(
        [], description="Look only for subjects of these groups."
    )
    caption: Words | None = None
    alt_text: Words | None = None
    title: Words | None = None
    file_name: Words | None = None


class Links(BaseModel):
    """Where to go on."""

    self: str = Field(description="The item.")
    rendition: str | None = Field(None, description="What is published, if it is a file here.")


class NamedWord(BaseModel):
    """Somebody's name in a text who may not be shown there. The item is held."""

    field: str = Field(examples=["caption"])
    word: str | None = Field(
        None, description="As it is written; null in a repeated answer: words are not kept."
    )


State = Literal["received", "held", "blocked", "released", "rejected"]


class MediaAccepted(BaseModel):
    """The item is safely kept, and is looked at next."""

    id: str = Field(examples=["3fa9c1d27b604e55"])
    state: State = Field(description="`received` until it is decided.")
    links: Links
    named: list[NamedWord] = []


class Reason(BaseModel):
    """Why."""

    code: str = Field(description="The same in every language.", examples=["some-redacted"])
    text: str


class FoundFace(BaseModel):
    """A face, and what was decided on it; see the guide for the further fields."""

    model_config = ConfigDict(extra="allow")

    box: list[int] = Field(description="[x, y, width, height] in the upright picture.")
    action: Literal["keep", "redact"]
    rule: str
    subject: str | None = None


class TakedownState(BaseModel):
    """Something that has to come down."""

    id: str
    state: Literal["requested", "removed", "confirmed", "unrecallable"]
    reason: Reason
    requested_at: str
    confirmed_at: str | None = None


class PublicationState(BaseModel):
    """Where a rendition is, or was, public."""

    id: str
    state: Literal["intended", "live", "removed"]
    urls: list[str] = Field(description="Web addresses; the first is the one for people.")
    published_at: str | None = None
    removed_at: str | None = None
    takedowns: list[TakedownState] = []


class MediaItem(BaseModel):
    """An item and what became of it."""

    id: str
    channel: str
    kind: Literal["photo", "video"]
    state: State
    outcome: Literal["release", "redact", "block", "hold"] | None = None
    reason: Reason | None = None
    verified: bool
    faces: list[FoundFace] = []
    links: Links
    publications: list[PublicationState] = []
    created_at: str
    updated_at: str
    named: list[NamedWord] = []


class Page(BaseModel):
    """Some of the records, oldest first."""

    items: list[dict[str, Any]]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class Consent(BaseModel):
    """An answer of somebody who may decide."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "subject": "S-1001",
                    "channel": "website-public",
                    "answer": "grant",
                    "signatory": "guardian",
                    "evidence": "parents-app:4711",
                    "wording": "2026-1",
                    "until": "2027-07-31",
                }
            ]
        },
    )

    subject: SubjectId
    channel: Annotated[str, Field(min_length=1, max_length=63)]
    answer: Literal["grant", "refuse"]
    signatory: str = UNATTRIBUTED
    signatory_id: str | None = None
    evidence: str = ""
    wording: str | None = None
    valid_from: date | None = Field(None, alias="from")
    valid_until: date | None = Field(None, alias="until")


class Withdrawn(BaseModel):
    """A consent that ends. Whatever else stands in it is no reason to refuse it."""

    model_config = ConfigDict(extra="ignore")

    subject: SubjectId
    channel: str | None = Field(None, description="Without it: every channel of the sender.")
    answer: Literal["withdraw"]
    signatory: Any = None
    signatory_id: Any = None
    evidence: Any = None


class Consents(BaseModel):
    """Several answers at once."""

    model_config = ConfigDict(extra="forbid")

    consents: Annotated[list[Consent | Withdrawn], Field(min_length=1, max_length=1000)]


class EntryProblem(BaseModel):
    """Why an answer was not recorded."""

    code: str
    detail: str


class AskedTakedown(BaseModel):
    """A publication that comes down because of a withdrawal."""

    id: str
    publication: str
    channel: str
    action: Literal["remove", "replace"]
    urls: list[str]


class ConsentResult(BaseModel):
    """What became of one answer."""

    status: Literal["recorded", "refused"]
    subject: str | None = None
    channel: str | None = None
    events: list[int] = Field([], description="The numbers under which it is on record.")
    allowed: bool | None = Field(None, description="Whether the subject may be shown there now.")
    rule: str | None = Field(None, description="Which rule says so.")
    takedowns: list[AskedTakedown] = []
    problem: EntryProblem | None = None


class ConsentResults(BaseModel):
    """One result for each answer, in order. 422 if none was recorded."""

    recorded: int
    refused: int
    results: list[ConsentResult]


class Health(BaseModel):
    """Whether everything runs."""

    status: Literal["ok", "failing"]
    failing: list[str] = Field([], examples=[["database"]])


class ProblemBody(BaseModel):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    code: str = Field(description="The same in every language.", examples=["web-too-large"])
    detail: str
