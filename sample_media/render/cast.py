"""The cast of the sample school: who they are, what they look like, what was consented to."""

from __future__ import annotations

from dataclasses import dataclass

from people import Hair, Person, Shirt

BLOND = (0.46, 0.31, 0.13)
AUBURN = (0.30, 0.105, 0.035)
BROWN = (0.13, 0.070, 0.035)
DARK = (0.035, 0.022, 0.015)
BLACK = (0.012, 0.010, 0.010)
GREY = (0.30, 0.29, 0.28)

BLUE_EYES, GREEN_EYES = (0.16, 0.27, 0.42), (0.17, 0.25, 0.13)
HAZEL_EYES, BROWN_EYES, DARK_EYES = (0.22, 0.15, 0.06), (0.13, 0.07, 0.03), (0.05, 0.03, 0.02)

_ALL = [
    Person("S-1001", 7, 1.0, 111, (0.05, 0.05, 0.9), (0.80, 0.58, 0.49), BLUE_EYES,
           Hair("pigtails", BLOND, 0.13, bangs=0.042), Shirt((0.85, 0.55, 0.10)),
           brow=(0.7, 0.4, 0.2)),
    Person("S-1002", 8, 0.0, 202, (0.95, 0.02, 0.03), (0.13, 0.070, 0.042), DARK_EYES,
           Hair("buzz", BLACK, 0.009, curl=0.001), Shirt((0.75, 0.72, 0.66), (0.10, 0.30, 0.24),
                                                       "stripes"), brow=(1.2, 0.0, 0.0)),
    Person("S-1003", 9, 0.75, 303, (0.02, 0.08, 0.9), (0.82, 0.60, 0.50), GREEN_EYES,
           Hair("long", AUBURN, 0.30, part=0.012), Shirt((0.10, 0.32, 0.34)), freckles=1.0,
           brow=(0.8, 0.3, 0.0), relative_of=330),
    Person("S-1004", 11, 0.2, 304, (0.02, 0.08, 0.9), (0.80, 0.58, 0.47), GREEN_EYES,
           Hair("short", AUBURN, 0.045), Shirt((0.13, 0.15, 0.32), (0.70, 0.12, 0.10), "band"),
           freckles=0.9, brow=(1.1, 0.3, 0.0), relative_of=330),
    Person("S-1005", 12, 1.0, 505, (0.25, 0.35, 0.4), (0.36, 0.205, 0.125), DARK_EYES,
           Hair("long", BLACK, 0.36, part=0.0), Shirt((0.52, 0.14, 0.34)),
           brow=(1.2, 0.9, 0.3)),
    Person("S-1006", 13, 0.0, 606, (0.0, 1.0, 0.0), (0.66, 0.46, 0.33), DARK_EYES,
           Hair("short", BLACK, 0.06, hairline=-0.004), Shirt((0.72, 0.72, 0.70),
                                                             (0.12, 0.22, 0.45), "yoke"),
           brow=(1.0, -0.3, 0.0)),
    Person("S-1007", 14, 1.0, 707, (0.9, 0.05, 0.05), (0.20, 0.108, 0.064), DARK_EYES,
           Hair("afro", BLACK, 0.075, curl=0.005, strands=11000),
           Shirt((0.80, 0.64, 0.12)), brow=(0.8, 0.8, 0.6)),
    Person("S-1008", 17, 0.0, 808, (0.3, 0.0, 0.7), (0.52, 0.345, 0.235), BROWN_EYES,
           Hair("short", DARK, 0.06, curl=0.006, hairline=0.002), Shirt((0.16, 0.17, 0.18)),
           brow=(1.5, 0.3, -0.2), beard=0.25),
    Person("S-1009", 10, 0.0, 909, (0.1, 0.1, 0.8), (0.79, 0.57, 0.47), BLUE_EYES,
           Hair("short", BLOND, 0.05, part=0.02), Shirt((0.20, 0.42, 0.16), (0.85, 0.85, 0.80),
                                                       "stripes"), glasses=True, weight=0.65),
    Person("S-1010", 6, 1.0, 12, (0.1, 0.75, 0.15), (0.58, 0.385, 0.265), DARK_EYES,
           Hair("bob", BLACK, 0.17, bangs=0.045), Shirt((0.75, 0.30, 0.38), (0.92, 0.88, 0.86),
                                                        "dots")),
    Person("T-2001", 35, 1.0, 25, (0.1, 0.1, 0.8), (0.71, 0.50, 0.40), HAZEL_EYES,
           Hair("long", BROWN, 0.22, part=-0.015), Shirt((0.14, 0.24, 0.42), sleeve=0.42),
           brow=(0.9, 0.5, 0.3), spread=0.65),
    Person("T-2002", 55, 0.0, 2002, (0.2, 0.0, 0.8), (0.64, 0.43, 0.33), BLUE_EYES,
           Hair("short", GREY, 0.035, hairline=0.014, part=0.02), Shirt((0.30, 0.22, 0.16),
                                                                       sleeve=0.42),
           brow=(1.3, -0.2, 0.0), beard=0.9, glasses=True,
           features=(("head-age-incr", 0.35), ("mouth-laugh-lines-out", -0.4))),
    # strangers: in nobody's records
    Person("X-1", 40, 1.0, 3001, (0.1, 0.3, 0.6), (0.60, 0.41, 0.30), BROWN_EYES,
           Hair("bob", (0.20, 0.11, 0.05), 0.21, part=-0.015), Shirt((0.62, 0.56, 0.46),
                                                                   sleeve=0.42)),
    Person("X-2", 9, 0.0, 31, (0.5, 0.2, 0.3), (0.27, 0.155, 0.095), DARK_EYES,
           Hair("short", BLACK, 0.035, curl=0.004), Shirt((0.60, 0.12, 0.10)), spread=0.65),
    Person("X-3", 45, 0.0, 3003, (0.1, 0.1, 0.8), (0.70, 0.49, 0.39), BLUE_EYES,
           Hair("short", BROWN, 0.03), Shirt((0.22, 0.26, 0.30), sleeve=0.42)),
    Person("X-4", 8, 1.0, 44, (0.1, 0.2, 0.7), (0.76, 0.54, 0.44), BROWN_EYES,
           Hair("ponytail", (0.25, 0.14, 0.06), 0.2), Shirt((0.55, 0.32, 0.60))),
]  # fmt: skip

PEOPLE: dict[str, Person] = {p.ident: p for p in _ALL}


def person(ident: str) -> Person:
    """The person with this identifier."""
    return PEOPLE[ident]


@dataclass(frozen=True)
class Record:
    """A line of the roster, with the consent given (``None``: nothing on file)."""

    subject: str
    kind: str
    groups: str
    born: str
    given_by: str
    start: str
    end: str
    answers: tuple[str, str, str, str, str]  # public, protected, facebook, newsletter, matching


_YES = "ja"
_NO = "nee"
RECORDS = [
    Record("S-1001", "student", "groep-4", "2019-03-11", "ouder", "2026-09-01", "",
           (_YES, _YES, _YES, _YES, _YES)),
    Record("S-1002", "student", "groep-5", "2018-06-02", "ouder", "2026-09-01", "",
           (_NO, _NO, _NO, _NO, _YES)),
    Record("S-1003", "student", "groep-6|koor", "", "ouder", "2026-09-01", "",
           (_YES, _YES, _NO, _YES, _YES)),
    Record("S-1004", "student", "groep-8", "", "ouder", "2026-09-01", "",
           (_NO, _NO, _NO, _NO, _YES)),
    Record("S-1005", "student", "klas-1|koor", "", "ouder", "2026-09-01", "",
           (_NO, _YES, _NO, _YES, _YES)),
    Record("S-1006", "student", "klas-2", "", "ouder", "2026-09-01", "",
           (_YES, _YES, _YES, _YES, _YES)),
    Record("S-1007", "student", "klas-3|toneel", "", "ouder", "2026-09-01", "",
           (_YES, _YES, _NO, _YES, _YES)),
    Record("S-1008", "student", "klas-5|toneel", "2009-07-21", "zelf", "2026-09-01", "",
           (_YES, _YES, _YES, "", _YES)),
    Record("S-1009", "student", "groep-7", "", "ouder", "2026-09-01", "",
           (_YES, _YES, "", _YES, _NO)),
    Record("S-1010", "student", "groep-3", "2020-05-05", "ouder", "2026-01-05", "2026-07-31",
           (_YES, _YES, _NO, _YES, _YES)),
    Record("T-2001", "staff", "groep-6|koor", "1991-10-03", "zelf", "2026-09-01", "",
           (_YES, _YES, _YES, _YES, _YES)),
    Record("T-2002", "staff", "klas-3|toneel", "1971-06-17", "zelf", "2026-09-01", "",
           (_YES, _YES, _NO, _YES, _YES)),
]  # fmt: skip

MATCHED = [r.subject for r in RECORDS if r.answers[4] == _YES]
