"""A client whose application another program has taken."""

from __future__ import annotations

import json
import os
import re
import socket

from twisted.logger import LogLevel

from channel_aa.ari.takeover import (
    ABSENT_SECONDS,
    CHECK_SECONDS,
    HELD_SECONDS,
    MAX_ABSENT_SECONDS,
    presence_name,
    programs_of,
)
from tests.support.ari_fakes import APP, AriTestCase

LIST = "GET applications"
OTHER = f"{APP}@pbx.example:42:0123abcd"


class PresenceTests(AriTestCase):
    def test_presence_names_host_and_process(self) -> None:
        name = presence_name(APP)
        self.assertRegex(name, rf"^{APP}@[A-Za-z0-9.-]+:{os.getpid()}:[0-9a-f]{{8}}$")
        self.assertNotEqual(name, presence_name(APP))

    def test_host_name_is_sanitized(self) -> None:
        for host, expected in (("a:b,c d/é", "a-b-c-d--"), ("", "unknown")):
            self.patch(socket, "gethostname", lambda host=host: host)
            found = re.search("@(.*?):", presence_name(APP))
            assert found is not None
            self.assertEqual(found[1], expected)

    def test_programs_are_found_by_their_presence(self) -> None:
        names = [APP, OTHER, "other@pbx:1:2f", f"{APP}@", f"{APP}@pbx:x:2f", f"{APP}2"]
        self.assertEqual(programs_of(APP, names), {OTHER: "process 42 on pbx.example"})

    def test_client_registers_its_presence(self) -> None:
        [presence] = self.connection.further_apps
        self.assertEqual(list(programs_of(APP, [presence])), [presence])


class TakeoverCase(AriTestCase):
    def tearDown(self) -> None:
        self.successResultOf(self.client.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        super().tearDown()

    def list_applications(self, *names: str) -> None:
        self.sender.answers[LIST] = json.dumps(
            [{"name": each, "channel_ids": []} for each in names]
        ).encode()

    def replaced_by(self, *names: str) -> None:
        """Receive the event; these applications exist then."""
        self.list_applications(*names)
        self.receive("ApplicationReplaced", application=APP)
        self.pass_time(CHECK_SECONDS)

    def pass_time(self, seconds: float) -> None:
        self.clock.pump([0.5] * round(seconds * 2))

    def seconds_until_connecting(
        self, *, limit: float = 2 * MAX_ABSENT_SECONDS
    ) -> float:
        """Wait until the client connects; return how long that took."""
        starts = self.connection.calls.count("start")
        begun = self.clock.seconds()
        while self.connection.calls.count("start") == starts:
            self.clock.advance(0.5)
            self.assertLess(self.clock.seconds() - begun, limit)
        return self.clock.seconds() - begun

    def assert_waits(self, seconds: float = 2 * MAX_ABSENT_SECONDS) -> None:
        calls = list(self.connection.calls)
        self.pass_time(seconds)
        self.assertEqual(self.connection.calls, calls)
        self.assertTrue(self.client.is_replaced)


class TakeoverTests(TakeoverCase):
    def setUp(self) -> None:
        super().setUp()
        self.replaced_by(APP, OTHER)

    def test_program_that_lives_keeps_the_application(self) -> None:
        self.assert_waits()

    def test_program_is_named_once_in_log_and_status(self) -> None:
        self.pass_time(600)
        [line] = self.log.texts(level=LogLevel.warn)
        self.assertEqual(
            line,
            f"The Stasis application {APP} belongs to process 42 on pbx.example now",
        )
        self.assertIn("belongs to process 42 on pbx.example.", self.client.problem)

    def test_application_of_a_program_that_is_gone_is_taken_over(self) -> None:
        """With a call left in it, the application goes on without a program."""
        self.list_applications(APP)
        seconds = self.seconds_until_connecting()
        self.assertGreaterEqual(seconds, ABSENT_SECONDS)
        self.assertLess(seconds, ABSENT_SECONDS + 2 * CHECK_SECONDS)
        self.assertFalse(self.client.is_replaced)
        self.assertEqual(self.client.problem, "")
        self.assertIn("taking over the Stasis application", self.log.texts()[-1])
        self.connection.open()
        self.client.reconciler.stop()
        self.enter()
        self.assertEqual(len(self.application.entered), 1)

    def test_program_that_comes_back_in_time_keeps_the_application(self) -> None:
        for _ in range(10):
            self.list_applications(APP)
            self.assert_waits(ABSENT_SECONDS - CHECK_SECONDS)
            self.list_applications(APP, OTHER)
            self.assert_waits(CHECK_SECONDS)

    def test_own_presence_is_not_another_program(self) -> None:
        self.list_applications(APP, *self.connection.further_apps)
        self.seconds_until_connecting()

    def test_response_that_is_missing_or_malformed_is_no_absence(self) -> None:
        self.sender.answers[LIST] = b"{}"
        self.assert_waits()
        del self.sender.answers[LIST]
        self.pass_time(CHECK_SECONDS)
        self.sender.only_unanswered().refuse(503)
        self.assert_waits(CHECK_SECONDS)

    def test_times_of_absence_grow_with_each_loss(self) -> None:
        self.list_applications(APP)
        found = []
        for _ in range(8):
            found.append(self.seconds_until_connecting())
            self.connection.open()
            self.client.reconciler.stop()
            self.replaced_by(APP, OTHER)
            self.list_applications(APP)
        for number, seconds in enumerate(found):
            expected = min(ABSENT_SECONDS * 2**number, MAX_ABSENT_SECONDS)
            self.assertGreaterEqual(seconds, expected)
            self.assertLess(seconds, expected + 2 * CHECK_SECONDS)

    def test_application_that_was_kept_resets_the_time_of_absence(self) -> None:
        for _ in range(2):
            self.list_applications(APP)
            seconds = self.seconds_until_connecting()
            self.assertLess(seconds, ABSENT_SECONDS + 2 * CHECK_SECONDS)
            self.connection.open()
            self.client.reconciler.stop()
            self.pass_time(HELD_SECONDS)
            self.replaced_by(APP, OTHER)


class ForeignProgramTests(TakeoverCase):
    """Another client of ARI, without a presence."""

    def setUp(self) -> None:
        super().setUp()
        self.replaced_by(APP)

    def test_application_that_exists_is_not_taken_over(self) -> None:
        """Its program may be gone, but nothing tells."""
        self.assert_waits()

    def test_unknown_program_is_not_named(self) -> None:
        self.pass_time(600)
        self.assertEqual(self.log.texts(level=LogLevel.warn), [])
        self.assertIn("belongs to another program.", self.client.problem)

    def test_application_of_a_program_that_is_gone_is_taken_over(self) -> None:
        self.list_applications("phones")
        self.seconds_until_connecting()

    def test_program_that_comes_back_in_time_keeps_the_application(self) -> None:
        for _ in range(10):
            self.list_applications()
            self.assert_waits(ABSENT_SECONDS - CHECK_SECONDS)
            self.list_applications(APP)
            self.assert_waits(CHECK_SECONDS)
