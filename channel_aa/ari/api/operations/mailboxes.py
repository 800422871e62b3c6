"""The operations on mailboxes."""

# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
from __future__ import annotations

from typing import TYPE_CHECKING

from channel_aa.ari.api.models import Mailbox
from channel_aa.ari.api.operation import Int, Operation, Query, Resource, Segment

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

__all__ = [
    "Mailboxes",
]

_LIST = Operation(
    "mailboxes.list",
    "GET",
    "/mailboxes",
    tuple[Mailbox, ...],
    since=("12.1.0",),
    idempotent=True,
)
_GET = Operation(
    "mailboxes.get",
    "GET",
    "/mailboxes/{mailboxName}",
    Mailbox,
    Segment("mailboxName", "mailbox_name", str),
    since=("12.1.0",),
    idempotent=True,
)
_UPDATE = Operation(
    "mailboxes.update",
    "PUT",
    "/mailboxes/{mailboxName}",
    type(None),
    Segment("mailboxName", "mailbox_name", str),
    Query("oldMessages", "old_messages", Int, required=True),
    Query("newMessages", "new_messages", Int, required=True),
    since=("12.1.0",),
    idempotent=True,
)
_DELETE = Operation(
    "mailboxes.delete",
    "DELETE",
    "/mailboxes/{mailboxName}",
    type(None),
    Segment("mailboxName", "mailbox_name", str),
    since=("12.1.0",),
    idempotent=True,
)


class Mailboxes(Resource):
    """The operations on mailboxes."""

    def list(self) -> Deferred[tuple[Mailbox, ...]]:
        """Read all mailboxes that ARI controls.

        ``GET /mailboxes``.
        """
        return self._call(_LIST)

    def get(self, *, mailbox_name: str) -> Deferred[Mailbox]:
        """Read the counts of a mailbox.

        ``GET /mailboxes/{mailboxName}``.
        """
        return self._call(_GET, mailbox_name)

    def update(
        self, *, mailbox_name: str, old_messages: int, new_messages: int
    ) -> Deferred[None]:
        """Set the counts of a mailbox, and make it if it is new.

        ``PUT /mailboxes/{mailboxName}``.
        """
        return self._call(_UPDATE, mailbox_name, old_messages, new_messages)

    def delete(self, *, mailbox_name: str) -> Deferred[None]:
        """Forget a mailbox that `update` has made.

        ``DELETE /mailboxes/{mailboxName}``.
        """
        return self._call(_DELETE, mailbox_name)
