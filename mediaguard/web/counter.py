"""Recording the answers that a system sends, one by one."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from mediaguard.app import App
from mediaguard.core.consent import MATCHING, UNATTRIBUTED, Signatory
from mediaguard.errors import InputError, StoreError
from mediaguard.store.desk import Desk
from mediaguard.store.ledger import MAX_TEXT, Ledger
from mediaguard.texts import explain, printable, say
from mediaguard.web.items import web_addresses
from mediaguard.web.models import Consent, Withdrawn
from mediaguard.web.once import Answer, Save
from mediaguard.web.problems import Problem, invalid
from mediaguard.web.senders import Sender

MOST = 1000

SAVE = 1.0
"""Seconds between two notes of what is done; what a killed process did since is done twice, which
changes nothing but the length of the ledger."""


class Counter:
    """Where a sender's answers are recorded.

    Args:
        app: the home.
        sender: who sends them; named in the audit log.
        language: of the words in which a refusal is told.
    """

    def __init__(self, app: App, sender: Sender, language: str) -> None:
        self._app = app
        self._sender = sender
        self._language = language
        self._channels = {*sender.settings.channels, MATCHING}
        self._desk = Desk(
            app.database,
            app.keyring,
            [app.rules(channel) for channel in app.config.channels],
            zone=app.config.zone,
            now=app.now,
            actor=sender.actor,
            written=app.wordings.written,
        )

    def record(self, request: object, before: Mapping[str, Any] | None, save: Save) -> Answer:
        """Record all answers of a request, each in a transaction of its own.

        Args:
            request: one answer, or an object with several.
            before: the results that an earlier try came to.
            save: keeps the results so far.

        Raises:
            Problem: the request as a whole is not right; nothing was recorded.
            StoreError: the records cannot be written; what was done is saved.
        """
        entries = _entries(request)
        results = list((before or {}).get("results", ()))
        saved = time.monotonic()
        try:
            for entry in entries[len(results) :]:
                results.append(self._result(entry))
                if time.monotonic() - saved > SAVE:
                    save({"results": results})
                    saved = time.monotonic()
        except StoreError:
            with suppress(StoreError):
                save({"results": results})
            raise
        recorded = sum(result["status"] == "recorded" for result in results)
        counts = {"recorded": recorded, "refused": len(results) - recorded}
        return Answer(200 if recorded else 422, {**counts, "results": results})

    def _result(self, entry: object) -> dict[str, Any]:
        known = entry if isinstance(entry, dict) else {}
        place = {key: _short(known.get(key)) for key in ("subject", "channel")}
        try:
            withdraws = known.get("answer") == "withdraw"
            done = self._withdraw(entry) if withdraws else self._answer(entry)
        except ValidationError as error:
            detail = invalid(error.errors(include_input=False, include_url=False))
            problem = Problem(422, "web-invalid", detail=detail)
        except InputError as error:
            text = explain(error, self._language)
            return {"status": "refused", **place, "problem": {"code": error.code, "detail": text}}
        except Problem as found:
            problem = found
        else:
            return {"status": "recorded", **place, **done}
        text = say(problem.code, problem.params, self._language)
        return {"status": "refused", **place, "problem": {"code": problem.code, "detail": text}}

    def _answer(self, entry: object) -> dict[str, Any]:
        consent = Consent.model_validate(entry)
        self._require(consent.channel)
        about: dict[str, Any] = {
            "signatory": consent.signatory,
            "signatory_id": consent.signatory_id,
            "evidence": consent.evidence,
            "wording": consent.wording,
        }
        if consent.answer == "grant":
            event, ruling = self._desk.grant(
                consent.subject,
                consent.channel,
                valid_from=consent.valid_from,
                valid_until=consent.valid_until,
                **about,
            )
        else:
            event, ruling = self._desk.refuse(consent.subject, consent.channel, **about)
        return {"events": [event.event_id], "allowed": ruling.allowed, "rule": str(ruling.rule)}

    def _withdraw(self, entry: object) -> dict[str, Any]:
        """As easy as giving it: what is not understood of the formalities is left out."""
        asked = Withdrawn.model_validate(entry)
        if asked.channel is None:
            channels = self._ever_given(asked.subject)
        else:
            self._require(asked.channel)
            channels = [asked.channel]
        signatory = asked.signatory if asked.signatory in tuple(Signatory) else UNATTRIBUTED
        done = [
            self._desk.withdraw(
                asked.subject,
                channel,
                signatory=str(signatory),
                signatory_id=_usable(asked.signatory_id) or None,
                evidence=_usable(asked.evidence),
            )
            for channel in channels
        ]
        return {
            "events": [event.event_id for one in done for event in one.events],
            "allowed": False,
            "rule": "consent-withdrawn",
            "takedowns": [
                {
                    "id": takedown.takedown_id,
                    "publication": takedown.publication_id,
                    "channel": takedown.channel,
                    "action": takedown.action,
                    "urls": web_addresses(takedown.urls),
                }
                for one in done
                for takedown in one.takedowns
            ],
        }

    def _ever_given(self, subject_id: str) -> Sequence[str]:
        with self._app.database.read() as session:
            Ledger(session).known_subject(subject_id)
            events = Ledger(session).events([subject_id])
        return sorted({event.channel for event in events} & self._channels)

    def _require(self, channel: str) -> None:
        if channel not in self._channels:
            raise Problem(403, "web-channel", channel=channel)


def _entries(request: object) -> list[Any]:
    if not isinstance(request, dict):
        raise Problem(422, "web-consents", most=MOST)
    if "consents" not in request:
        return [request]
    entries = request["consents"]
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST or len(request) > 1:
        raise Problem(422, "web-consents", most=MOST)
    return entries


def _short(value: object) -> str | None:
    return printable(value[:64]) if isinstance(value, str) else None


def _usable(value: object) -> str:
    usable = isinstance(value, str) and value.isprintable() and len(value) <= MAX_TEXT
    return str(value).strip() if usable else ""
