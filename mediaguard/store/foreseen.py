"""What an import would set in motion, said before it is done."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from mediaguard.core.consent import Answer, ConsentEvent
from mediaguard.store.book import ChannelRules
from mediaguard.store.importing import Plan, What
from mediaguard.store.ledger import Ledger
from mediaguard.store.people import People, ruling
from mediaguard.store.roster import RosterPlan


def takedowns_of_consents(
    session: Session, plan: Plan, rules: Mapping[str, ChannelRules], *, now: datetime
) -> int:
    """How many publications would be taken down if the answers of a file were recorded."""
    events: dict[str, list[ConsentEvent]] = defaultdict(list)
    for event in Ledger(session).events():
        events[event.subject_id].append(event)
    touched = set()
    for change in plan.changes:
        if change.channel is not None and change.what is not What.KEPT:
            row, granted = change.row, change.what is What.GRANTED
            events[change.subject_id].append(
                ConsentEvent(
                    event_id=0,
                    subject_id=change.subject_id,
                    channel=change.channel,
                    purpose=rules[change.channel].purpose,
                    answer=Answer(change.what.value),
                    signatory=change.signatory,
                    signatory_id=change.signatory_id,
                    evidence=row.evidence or "import",
                    wording=row.wording if granted else None,
                    valid_from=row.valid_from if granted else None,
                    valid_until=row.valid_until if granted else None,
                    recorded_at=now,
                )
            )
            touched.add((change.subject_id, change.channel))
    subjects = {subject.subject_id: subject for subject in Ledger(session).subjects()}
    refused = {
        (subject_id, channel)
        for subject_id, channel in touched
        if subject_id in subjects
        and not ruling(rules[channel], subjects[subject_id], events[subject_id], now).allowed
    }
    return People(session).would_come_down(refused)


def takedowns_of_roster(
    session: Session, plan: RosterPlan, rules: Mapping[str, ChannelRules], *, now: datetime
) -> int:
    """The same for a list of people: who may consent follows from kind and date of birth."""
    changed = {subject.subject_id: subject for subject in plan.changed}
    events: dict[str, list[ConsentEvent]] = defaultdict(list)
    for event in Ledger(session).events():
        if event.subject_id in changed:
            events[event.subject_id].append(event)
    refused = {
        (subject_id, channel)
        for subject_id, subject in changed.items()
        for channel in rules
        if not ruling(rules[channel], subject, events[subject_id], now).allowed
    }
    return People(session).would_come_down(refused)
