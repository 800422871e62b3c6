"""Text messages: answers each SIP message of a phone with another one.

Asterisk needs res_pjsip_messaging.so, and nothing in the dialplan. Run it with the URL
of Asterisk's HTTP server, and the user and the password of ari.conf::

    python examples/ari/text_messages.py http://localhost:8088 asterisk asterisk
"""

from __future__ import annotations

from sys import argv

from channel_aa.ari import Address, AriClient, AriError, run
from channel_aa.ari.api.events import TextMessageReceived

SENDER = "sip:echo@localhost"


class Echo:
    """Answers the messages of all PJSIP endpoints."""

    def __init__(self, address: Address) -> None:
        self.client = AriClient(address)
        self.client.events.on(TextMessageReceived, self.answer, source="endpoint:PJSIP")

    async def answer(self, event: TextMessageReceived) -> None:
        """Send a message back."""
        if event.endpoint is None:
            return
        print(f"{event.message.from_}: {event.message.body}")
        try:
            await self.client.api.endpoints.send_message_to_endpoint(
                tech=event.endpoint.technology,
                resource=event.endpoint.resource,
                from_=SENDER,
                body=f"You wrote: {event.message.body}",
            )
        except AriError as error:
            print(f"Could not answer {event.message.from_}: {error}")


if __name__ == "__main__":
    _, url, username, password = argv
    address = Address(url=url, username=username, password=password, app="messages")
    run(Echo(address).client)
