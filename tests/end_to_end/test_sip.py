"""Dial statuses and causes of SIP phones, which Local channels do not have.

Asterisk dials the phones of the tests' dialplan over loopback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_twisted

from real_asterisk.harness import Asterisk
from tests.support.asterisk_harness import RealAsteriskHarness

if TYPE_CHECKING:
    from twisted.internet.posixbase import PosixReactorBase

    from real_asterisk.installation import Installation
    from real_asterisk.raw_ari import Events

pytestmark = pytest.mark.asterisk

_PJSIP_CONF = """\
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{port}

[trunk]
type=endpoint
context=phones
disallow=all
allow=ulaw
aors=trunk
from_user=trunk

[trunk]
type=aor
contact=sip:127.0.0.1:{port}
"""

OUTCOMES = {
    "answers": (["", "ANSWER"], 16),
    "busy": (["", "BUSY"], 17),
    "congested": (["", "CONGESTION"], 34),
    "declines": (["", "RINGING", "NOANSWER"], 21),
    # An unknown number: only the cause distinguishes it.
    "nobody": (["", "NOANSWER"], 1),
    "rings": (["", "RINGING"], 19),
}


async def cause_of_dial(
    backend: RealAsteriskHarness, events: Events, phone: str
) -> int:
    """Dial a phone, hang it up if it answers, and return the cause."""
    await backend.ari.post(
        f"/channels/{phone}",
        endpoint=f"PJSIP/{phone}@trunk",
        app="channel-aa",
        formats="ulaw",
        timeout=10,  # long enough to ring on a busy machine
    )
    if phone == "answers":
        await events.wait_for_type("StasisStart", phone)
        await backend.ari.delete(f"/channels/{phone}")
    destroyed = await events.wait_for(
        lambda it: it.type == "ChannelDestroyed" and it.json["channel"]["id"] == phone
    )
    cause: int = destroyed.json["cause"]
    return cause


def dial_statuses(events: Events, phone: str) -> list[str]:
    return [
        it.json["dialstatus"]
        for it in events.all
        if it.type == "Dial" and it.is_about(phone)
    ]


@pytest_twisted.ensureDeferred
async def test_dial_status_and_cause_of_sip_phones(
    reactor: PosixReactorBase, installation: Installation
) -> None:
    asterisk = Asterisk(reactor, installation=installation)
    configuration = _PJSIP_CONF.format(port=asterisk.sip_port)
    (asterisk._files / "etc/pjsip.conf").write_text(configuration)
    try:
        await asterisk.boot()
        backend = await RealAsteriskHarness.open(reactor, asterisk)
        events = await backend.listen()
        outcomes = {}
        for phone in OUTCOMES:
            cause = await cause_of_dial(backend, events, phone)
            number = len(OUTCOMES[phone][0])
            await events.wait_for(lambda _: len(dial_statuses(events, phone)) >= number)  # noqa: B023
            outcomes[phone] = (dial_statuses(events, phone), cause)
        assert outcomes == OUTCOMES
        await backend.close()
    finally:
        await asterisk.stop()
