"""Keeps people from saying what is not so: no wife for the unmarried, no children for the childless, no 1944 for the young.
"""

from __future__ import annotations

import re

from making.material import Person

OLDER = frozenset({"retired", "nostalgic", "storyteller", "ramble", "church", "grumpy", "teacher", "nurse", "collector"})
OF_ONESELF = re.compile(r"\b(I|[Mm]y|[Oo]ur|we)\b")
KIN = re.compile(r"\b[Mm]y (late )?(wife|husband|girlfriend|boyfriend|fiance)\b")
# What may be said of oneself only by somebody with one of the tags.
NEEDS = (
    (re.compile(r"\bI (raised|brought up)\b"), frozenset({"kids", "grandkids"})),
    (
        re.compile(
            r"\b[Mm]y (kids?|sons?|daughters?|children|youngest|oldest|two|little ones?|boys?|teenager|(four|six|nine)-year-old)\b"
            r"|\b[Mm]ine (were|was|asked|wanted|cried|hid|had|got)\b"
            r"|\b[Tt]he (kids|nine-year-old)\b|\bI have two boys\b|\bI've got a toddler\b"
        ),
        frozenset({"kids"}),
    ),
    (re.compile(r"\b[Mm]y (grandson|granddaughter|grandsons|grandchildren)\b"), frozenset({"grandkids"})),
    (re.compile(r"seventy-three|sixty-nine|an old romantic|I'm fifty-six|I was in diapers"), frozenset({"retired", "nostalgic"})),
)
LONG_AGO = re.compile(r"\b(twenty|thirty|forty|fifty|nineteen|thirty-one|\d\d)(-\w+)? years\b|\b19[3-8]\d\b|\bretired\b|\b[Mm]y late\b")
BRITISH = re.compile(r"\b([Gg]ran|Mum|allotment|marrow|nursery|[Gg]randad|pantomime|bank holiday)\b")
AMERICAN = re.compile(
    r"\b(Mom|Zayre|Howard Johnson|Thanksgiving|Thruway|turnpike|county fair|seventh grade|fourth grade|college|yard sale|Texas)\b"
)


def suits(text: str, person: Person) -> bool:
    """Tell whether a sentence can be true of the person who is to say it."""
    kin = KIN.search(text)
    if kin and kin[1]:
        return "partner" not in person.tags and "retired" in person.tags
    if kin and kin[2] not in person.tags:
        return False
    if any(pattern.search(text) and not tags & person.tags for pattern, tags in NEEDS):
        return False
    if "grown man" in text and "husband" in person.tags:
        return False
    if not OF_ONESELF.search(text):
        return True
    foreign = AMERICAN if "brit" in person.tags else BRITISH
    return not foreign.search(text) and not (LONG_AGO.search(text) and not person.tags & OLDER)
