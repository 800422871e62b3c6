from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.commands.expectation import (
    difference,
    happened,
    is_met,
    read_expectation,
)
from channel_aa.commands.transcript import Entry, Kind, Transcript

REAL_CALL = Path(__file__).parents[2] / "data" / "one-call-asterisk-22.10.1.jsonl"
CALLER = {"id": "1", "name": "PJSIP/alice-00000001", "language": "en"}
OTHER = {"id": "2", "name": "PJSIP/bob-00000002", "language": "en"}
PHONE = {"id": "channel-aa-dialled-x", "name": "PJSIP/4-10-00000003", "language": "en"}


class TranscriptTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.changes = 0
        self.transcript = Transcript(
            CALLER["name"], variables=["TEAM"], write=self._count
        )
        self.hear("ChannelCreated", channel=CALLER)

    def _count(self, _entry: Entry | None) -> None:
        self.changes += 1

    def hear(self, kind: str, **fields: object) -> None:
        self.transcript.receive({"type": kind, **fields}, 1.0)

    def hear_sound(
        self, state: str, name: str, *, language: str = "en", channel: str = "1"
    ) -> None:
        kind = "PlaybackStarted" if state == "playing" else "PlaybackFinished"
        playback = {
            "id": name,
            "media_uri": name,
            "target_uri": f"channel:{channel}",
            "state": state,
            "language": language,
        }
        self.hear(kind, playback=playback)

    def hear_dial(self, status: str, peer: dict[str, Any] = PHONE) -> None:
        self.hear("Dial", dialstatus=status, peer=peer)

    @property
    def texts(self) -> list[str]:
        return [entry.text for entry in self.transcript.entries]

    def test_only_sounds_and_keys_of_the_caller_are_entries(self) -> None:
        self.hear_sound("playing", "sound:or")
        self.hear_sound("playing", "sound:other", channel="2")
        self.hear("ChannelDtmfReceived", channel=CALLER, digit="1")
        self.hear("ChannelDtmfReceived", channel=OTHER, digit="2")
        self.hear_sound("playing", "digits:1")
        self.assertEqual(self.texts, ["or", "key 1", "digits:1"])

    def test_call_is_quiet_while_nothing_plays_or_rings(self) -> None:
        self.assertTrue(self.transcript.is_quiet)
        self.hear_sound("playing", "sound:or")
        self.assertFalse(self.transcript.is_quiet)
        before = self.changes
        self.hear_sound("done", "sound:or")
        self.assertTrue(self.transcript.is_quiet)
        self.assertEqual(self.changes, before + 1)
        self.hear_dial("")
        self.assertFalse(self.transcript.is_quiet)
        self.hear_dial("ANSWER")
        self.assertTrue(self.transcript.is_quiet)

    def test_failed_sound_is_trouble_unless_hung_up(self) -> None:
        self.hear_sound("playing", "sound:missing")
        self.hear_sound("failed", "sound:missing")
        self.hear_sound("playing", "sound:or")
        self.hear("ChannelHangupRequest", channel=CALLER)
        self.hear_sound("failed", "sound:or")
        self.hear_sound("playing", "sound:queued")
        self.assertEqual(self.texts, ["missing", "missing cannot be played", "or"])

    def test_language_change_is_an_entry(self) -> None:
        self.hear_sound("playing", "sound:or")
        self.hear_sound("playing", "sound:ou", language="fr")
        self.hear_sound("playing", "sound:ou", language="fr")
        self.assertEqual(self.texts, ["or", "language fr", "ou", "ou"])

    def test_outcome_of_a_phone_is_an_entry(self) -> None:
        outcomes = {
            "ANSWER": "answers",
            "BUSY": "is busy",
            "NOANSWER": "does not answer",
            "CONGESTION": "is congested",
            "CHANUNAVAIL": "is unavailable",
        }
        for status, text in outcomes.items():
            self.hear_dial("")
            self.hear_dial("RINGING")
            self.hear_dial(status)
            self.hear_dial(status)
            self.assertEqual(
                self.texts[-2:], ["dials PJSIP/4-10", f"PJSIP/4-10 {text}"]
            )

    def test_destroyed_phone_gets_its_outcome_from_the_cause(self) -> None:
        causes = {
            17: "is busy",
            19: "does not answer",
            34: "is congested",
            0: "is unavailable",
        }
        for cause, text in causes.items():
            self.hear_dial("")
            self.hear("ChannelDestroyed", channel=PHONE, cause=cause)
            self.assertEqual(self.texts[-1], f"PJSIP/4-10 {text}")

    def test_phone_dialled_by_others_is_left_out(self) -> None:
        self.hear_dial("", OTHER)
        self.hear_dial("ANSWER", OTHER)
        self.assertEqual(self.texts, [])

    def test_conversation_begins_and_ends(self) -> None:
        self.hear("ChannelEnteredBridge", channel=PHONE)
        self.hear("ChannelEnteredBridge", channel=CALLER)
        self.assertTrue(self.transcript.is_in_conversation)
        self.hear("ChannelLeftBridge", channel=CALLER)
        self.assertFalse(self.transcript.is_in_conversation)
        self.assertEqual(self.texts, ["conversation begins", "conversation ends"])

    def test_conversation_begins_once_though_another_phone_still_rings(self) -> None:
        other = {**PHONE, "id": "channel-aa-dialled-y", "name": "PJSIP/412-00000004"}
        for phone in (PHONE, other):
            self.hear_dial("", phone)
        self.hear_dial("ANSWER")
        self.hear("ChannelEnteredBridge", channel=CALLER)
        self.hear_dial("NOANSWER", other)
        self.assertEqual(
            self.texts[2:],
            ["PJSIP/4-10 answers", "conversation begins", "PJSIP/412 does not answer"],
        )

    def test_phone_with_early_media_begins_a_conversation_only_if_it_answers(
        self,
    ) -> None:
        phone = {**PHONE, "dialplan": {"app_name": "Stasis"}}
        ends = {
            "BUSY": ["PJSIP/4-10 is busy"],
            "ANSWER": ["PJSIP/4-10 answers", "conversation begins"],
        }
        for status, texts in ends.items():
            before = len(self.texts)
            self.hear_dial("", phone)
            self.hear_dial("PROGRESS", phone)
            self.hear("ChannelEnteredBridge", channel=CALLER)
            self.hear_dial(status, phone)
            self.assertEqual(
                self.texts[before:],
                ["dials PJSIP/4-10", "early media of PJSIP/4-10 begins", *texts],
            )
            self.hear("ChannelLeftBridge", channel=CALLER)

    def test_configured_variables_and_recordings_are_entries(self) -> None:
        for name in ("TEAM", "STASISSTATUS", "CHANNEL_AA_ARGUMENT"):
            self.hear("ChannelVarset", channel=CALLER, variable=name, value="x")
        recording = {"name": "msg/1", "target_uri": "channel:1"}
        self.hear("RecordingStarted", recording=recording)
        self.assertEqual(
            self.texts,
            ["sets TEAM = x", "sets CHANNEL_AA_ARGUMENT = x", "records msg/1"],
        )

    def test_other_events_are_ignored(self) -> None:
        self.hear("DeviceStateChanged", device_state={})
        self.hear("BrandNewEvent", channel=CALLER)
        self.assertEqual(self.texts, [])

    def test_recorded_events_of_a_real_call_make_a_transcript(self) -> None:
        transcript = Transcript("Local/1000@default-00000001;2", write=lambda _: None)
        for line in REAL_CALL.read_text().splitlines():
            event = json.loads(line)
            at = datetime.fromisoformat(event["timestamp"]).timestamp()
            transcript.receive(event, at)
        self.assertEqual(
            [entry.text for entry in transcript.entries],
            [
                *("press-1", "or", "key 1", "you-entered", "digits:1"),
                *("press-1", "or", "press-2", "key 2", "you-entered"),
            ],
        )


class ExpectationTests(SynchronousTestCase):
    def test_expectation_is_separated_by_commas_or_line_breaks(self) -> None:
        self.assertEqual(
            read_expectation(" press-1,or,\n sound:press-2 , sound you-entered,"),
            ["press-1", "or", "press-2", "you-entered"],
        )

    def test_transcript_is_an_expectation(self) -> None:
        transcript = (
            "     0.0  press-1\n    12.9  key 7\n    12.9  dials PJSIP/400\n"
            "  3600.5  continued in dialplan at channel-aa-queue,s,1\n"
        )
        self.assertEqual(
            read_expectation(transcript),
            [
                "press-1",
                "dials PJSIP/400",
                "continued in dialplan at channel-aa-queue,s,1",
            ],
        )

    def test_dialplan_location_keeps_its_commas(self) -> None:
        self.assertEqual(
            read_expectation("or,continued in dialplan at phones,6001,1,hung up"),
            ["or", "continued in dialplan at phones,6001,1", "hung up"],
        )

    def test_keys_are_ignored(self) -> None:
        entries = [
            Entry(at=0, kind=Kind.SOUND, text="or"),
            Entry(at=1, kind=Kind.KEY, text="key 1"),
            Entry(at=2, kind=Kind.END, text="hung up by caller"),
        ]
        self.assertEqual(happened(entries), ["or", "hung up by caller"])

    def test_expectation_is_met_by_all_events_in_order(self) -> None:
        found = ["a", "b", "a", "c"]
        for text in (
            "a,b,a,c",
            "...",
            "…",
            "...,c",
            "a,...",
            "a,...,c",
            "...,a,...",
            "a,b,...,a,c",
            "...,...",
            "...,b,a,...",
        ):
            self.assertTrue(is_met(read_expectation(text), found), text)
        for text in (
            "",
            "a",
            "a,b,c",
            "b,...",
            "...,a",
            "a,b,a,c,d",
            "...,c,a,...",
            "...,d,...",
        ):
            self.assertFalse(is_met(read_expectation(text), found), text)

    def test_long_call_is_compared_quickly(self) -> None:
        found = ["a", "b"] * 2000
        self.assertFalse(is_met(["...", "a"] * 20 + ["...", "c"], found))

    def test_difference_has_one_line_per_event(self) -> None:
        self.assertEqual(
            list(difference(["a", "b", "c", "d"], ["a", "x", "c", "d", "e"])),
            ["  a", "- b", "+ x", "  c", "  d", "+ e"],
        )

    def test_ellipsis_is_no_difference(self) -> None:
        self.assertEqual(
            list(difference(["a", "...", "d"], ["a", "b", "c", "e"])),
            ["  a", "- d", "  b", "  c", "  e"],
        )
