"""A person's change, from the request to the replica that knows it: tags, fates, problems."""

import re
from typing import Annotated, Final

from fastapi import Header, Query

from policy.admin.auth import Caller
from policy.admin.context import AdminContext
from policy.admin.problems import Problem
from policy.admin.views import MOST_CHARACTERS
from policy.core.amending import ANY, NONE, Amended, Amendment, Fate, version_tag
from policy.core.audit import Area, Authorship
from policy.store.records import entry_to_text

SETTLED_WITHIN_S: Final = 1.0
"""How long an answer waits until this replica itself knows the change it made."""

_MOST_TAG: Final = 100
_TAG: Final = re.compile(r'"([0-9a-f]+)"')
IfMatch = Annotated[
    str,
    Header(
        alias="If-Match",
        max_length=_MOST_TAG,
        description="The ETag of what you saw: 412 if it is another by now.",
    ),
]
IfNoneMatch = Annotated[
    str,
    Header(
        alias="If-None-Match",
        max_length=_MOST_TAG,
        description="*: 412 if there is one already.",
    ),
]
Reason = Annotated[
    str,
    Query(
        max_length=MOST_CHARACTERS,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="Why, for the audit.",
    ),
]


def expected(if_match: str, if_none_match: str) -> str:
    """What must be there, for an Amendment. Raises Problem 422."""
    if if_match and if_none_match:
        raise Problem(422, "give If-Match or If-None-Match, not both")
    if if_none_match:
        if if_none_match.strip() != "*":
            raise Problem(422, "If-None-Match: * is the only one understood here")
        return NONE
    return tag_in(if_match) if if_match else ANY


def tag_in(if_match: str) -> str:
    """Raises Problem 422 for what is no strong ETag of ours."""
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        raise Problem(422, 'If-Match: should be one ETag as it was given, such as "1f3a"')
    return found[1]


async def amend(here: AdminContext, amendment: Amendment) -> str:
    """Makes the change; the new ETag. Raises Problem 404, 412, 507."""
    (amended,) = await here.store.amend([amendment])
    _must_be_done(amended)
    await here.keeper.reached(amended.revision, SETTLED_WITHIN_S)
    return etag(entry_to_text(amendment.entry)) if amendment.entry else ""


def authorship(here: AdminContext, by: Caller, reason: str) -> Authorship:
    return Authorship(by.name, reason, here.clock.unix_ms())


async def etag_of(here: AdminContext, area: Area, subject: str) -> str:
    """Of what the store has now; Problem 404 if that is nothing."""
    record = await here.store.record_of(area, subject)
    if not record:
        raise Problem(404, f"there is no such {area}")
    return etag(record)


def etag(record: str) -> str:
    return f'"{version_tag(record)}"'


def _must_be_done(amended: Amended) -> None:
    match amended.fate:
        case Fate.NOTHING_THERE:
            raise Problem(404, "there is nothing to remove")
        case Fate.OVERTAKEN:
            raise Problem(412, "it is another one by now: read it again")
        case Fate.FULL:
            raise Problem(507, "there are as many as there may be")
        case Fate.DONE:
            return
