from __future__ import annotations

import os
import re
from pathlib import Path
from shutil import which
from subprocess import run
from tempfile import TemporaryDirectory
from time import time
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.attendant.call_events import KeysEntered, MenuEntered
from channel_aa.commands.diagram import Diagram, Kind, draw
from channel_aa.commands.main import main
from channel_aa.commands.markup import to_dot, to_mermaid
from channel_aa.dialogue.digits import Match
from channel_aa.menus.actions import HANGUP
from channel_aa.menus.flow import CallFlow
from channel_aa.menus.menu import Menu
from channel_aa.menus.sounds import prompt_of
from channel_aa.records.report import MenuReport, Report
from tests.support.printed import printed
from tests.support.records_harness import RecordsHarness, ended, started

COMPANY: dict[str, Any] = {
    "menus": {
        "main": {
            "greeting": ["welcome"],
            "prompt": ["press-1", "or", "press-2"],
            "max_noinput": 3,
            "failure": "operator",
            "options": {
                "1": {"play": ["you-entered", "digits:{digits}"]},
                "2": {"menu": "sales"},
                "3": {
                    "dial": ["PJSIP/410", "PJSIP/411"],
                    "strategy": "ringall",
                    "else": {"voicemail": "410"},
                },
                "4": {"continue": {"context": "phones", "extension": "6001"}},
                "7": {"dial": "PJSIP/412", "confirm": True},
                "5": {"queue": "support", "label": "Support & <friends>"},
                "6": {"set": {"A": '"quoted\\"'}, "then": {"run": "look_up"}},
                "0": "operator",
                "*": "back",
            },
            "extensions": {
                "pattern": "4XX",
                "deny": ["499"],
                "dial": "PJSIP/{digits}",
            },
        },
        "sales": {
            "prompt": ["press-1"],
            "language": "fr",
            "options": {
                "1": {"record": "to/{caller}", "then": {"directory": "default"}},
                "2": {"language": "de"},
                "#": "top",
            },
        },
    },
    "actions": {"operator": {"dial": "PJSIP/400"}, "unused": {"voicemail": "1"}},
    "routes": [
        {
            "did": ["+441632960000", "100"],
            "schedule": "office",
            "open": "main",
            "closed": "sales",
            "holiday": "hangup",
        },
        {"argument": "night", "to": "sales", "language": "fr"},
    ],
    "schedules": {"office": {"timezone": "Europe/London", "open": ["mon-fri"]}},
}

_TEXT = r'"(?:[\w .,:/()=@<>&;-]|#[0-9]+;|<br/>)*"'
_MERMAID_NODE = re.compile(
    rf"    n\d+(?:\(\[{_TEXT}\]\)|\[{_TEXT}\]|\({_TEXT}\)|"
    rf"\{{\{{{_TEXT}\}}\}})"
)
_MERMAID_EDGE = re.compile(rf"    n(\d+) (?:-->|-\.->)(?:\|{_TEXT}\|)? n(\d+)")

_DOT_ID = r'(?:[A-Za-z][A-Za-z0-9]*|"(?:[^"\\\n]|\\[n"\\])*")'
_DOT_ATTRIBUTES = rf"(?: \[{_DOT_ID}={_DOT_ID}(?:, {_DOT_ID}={_DOT_ID})*\])?"
_DOT_STATEMENT = re.compile(rf"    n(\d+)(?: -> n(\d+))?{_DOT_ATTRIBUTES};")


def company() -> CallFlow:
    return CallFlow(**COMPANY)


def lines_of(diagram: Diagram) -> list[str]:
    """Write a diagram down as sentences."""
    names = {node.number: " / ".join(node.lines) for node in diagram.nodes}
    return [
        f"{names[edge.source.number]}"
        f" {'~' if edge.is_failure else '-'}{edge.text}> {names[edge.target.number]}"
        for edge in diagram.edges
    ]


class DiagramTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.diagram = draw(company())
        self.lines = lines_of(self.diagram)

    def test_calls_lead_to_routes_and_the_entry(self) -> None:
        office = "number +441632960000, 100 / schedule office"
        main = "menu main / welcome, press-1, or, press-2"
        sales = "menu sales / press-1 / language fr"
        self.assertEqual(
            self.lines[:7],
            [
                f"calls -> {office}",
                f"{office} -open> {main}",
                f"{office} -closed> {sales}",
                f"{office} -holiday> hangup",
                "calls -> argument night / language fr",
                f"argument night / language fr -> {sales}",
                f"calls -all others> {main}",
            ],
        )

    def test_option_keys_lead_to_their_actions(self) -> None:
        menu = "menu main / welcome, press-1, or, press-2"
        options = [
            line.removeprefix(menu) for line in self.lines if line.startswith(menu)
        ]
        self.assertEqual(
            options,
            [
                " -1> play you-entered, digits:{digits}",
                " -2> menu sales / press-1 / language fr",
                " -3> dial PJSIP/410, PJSIP/411 at once, 20 s",
                " -4> continue phones,6001,1",
                " -7> dial PJSIP/412, 20 s, to be confirmed",
                " -5> Support & <friends> / queue support",
                ' -6> set A = "quoted\\"',
                " -0> operator / dial PJSIP/400, 20 s",
                " -*> back",
                " -4XX but not 499> dial PJSIP/{digits}, 20 s",
                " ~no input 3 times> operator / dial PJSIP/400, 20 s",
            ],
        )

    def test_keys_of_a_secret_menu_are_not_drawn(self) -> None:
        menu: dict[str, object] = {
            "prompt": ["enter-password"],
            "secret": True,
            "options": {"4711": "hangup"},
            "extensions": {"pattern": "08X", "dial": "PJSIP/1"},
        }
        self.assertEqual(
            lines_of(draw(CallFlow(menus={"main": Menu.model_validate(menu)}))),
            [
                "calls -> menu main / enter-password",
                "menu main / enter-password -(secret)> hangup",
                "menu main / enter-password -(secret)> dial PJSIP/1, 20 s",
            ],
        )

    def test_keys_of_a_secret_option_are_not_drawn(self) -> None:
        menu: dict[str, object] = {
            "prompt": ["enter-password"],
            "options": {"1": "hangup", "4711": {"menu": "main", "secret": True}},
            "extensions": {"pattern": "08X", "dial": "PJSIP/1", "secret": True},
        }
        self.assertEqual(
            lines_of(draw(CallFlow(menus={"main": Menu.model_validate(menu)}))),
            [
                "calls -> menu main / enter-password",
                "menu main / enter-password -1> hangup",
                "menu main / enter-password -(secret)> menu main / enter-password",
                "menu main / enter-password -(secret)> dial PJSIP/1, 20 s",
            ],
        )

    def test_follow_up_is_drawn_unless_it_is_the_default(self) -> None:
        following = [line for line in self.lines if "then>" in line or "else>" in line]
        self.assertEqual(
            following,
            [
                "dial PJSIP/410, PJSIP/411 at once, 20 s ~else> voicemail 410",
                'set A = "quoted\\" -then> run look_up',
                "record to/{caller} -then> directory default",
            ],
        )

    def test_named_action_is_drawn_once_even_if_unused(self) -> None:
        texts = [" / ".join(node.lines) for node in self.diagram.nodes]
        self.assertEqual(texts.count("operator / dial PJSIP/400, 20 s"), 1)
        self.assertIn("unused / voicemail 1", texts)

    def test_same_file_gives_the_same_diagram(self) -> None:
        self.assertEqual(to_dot(draw(company())), to_dot(draw(company())))
        self.assertEqual(to_mermaid(draw(company())), to_mermaid(draw(company())))


class MarkupTests(SynchronousTestCase):
    def diagrams(self) -> list[Diagram]:
        strange = Diagram()
        texts = (
            'say "hi"',
            "back\\slash\\",
            "a]b)c}d|e;f",
            "`markdown`",
            "1. list",
            "- list",
            "end",
            "<script>",
            "#35;",
            "line\nbreak",
            "Größe 中",
            "x" * 500,
        )
        nodes = [strange.add(kind, *texts) for kind in Kind]
        for text in ("", *texts):
            strange.connect(nodes[0], nodes[1], text, is_failure=bool(text))
        return [draw(CallFlow()), draw(company()), strange]

    def test_mermaid_consists_of_nodes_and_edges(self) -> None:
        for diagram in self.diagrams():
            first, *lines = to_mermaid(diagram).splitlines()
            self.assertEqual(first, "flowchart LR")
            nodes, edges = lines[: len(diagram.nodes)], lines[len(diagram.nodes) :]
            for line in nodes:
                self.assertTrue(_MERMAID_NODE.fullmatch(line), line)
            self.assertEqual(len(edges), len(diagram.edges))
            for line in edges:
                self.assertTrue(_MERMAID_EDGE.fullmatch(line), line)

    def test_mermaid_text_is_not_taken_for_a_markdown_list(self) -> None:
        text = to_mermaid(self.diagrams()[-1])
        self.assertNotRegex(text, r'["/>](1\. |- )')

    def test_dot_consists_of_valid_statements(self) -> None:
        for diagram in self.diagrams():
            first, second, *statements, last = to_dot(diagram).splitlines()
            self.assertEqual(
                (first, second, last), ("digraph menus {", "    rankdir=LR;", "}")
            )
            self.assertEqual(len(statements), len(diagram.nodes) + len(diagram.edges))
            for line in statements:
                self.assertTrue(_DOT_STATEMENT.fullmatch(line), line)

    def test_graphviz_accepts_the_dot_output(self) -> None:
        dot = which("dot")
        if dot is None:
            return  # the grammar is checked above
        for diagram in self.diagrams():
            written = to_dot(diagram).encode()
            done = run(  # noqa: S603 - the program that was found
                [dot, "-Tcanon"], input=written, capture_output=True, check=False
            )
            self.assertEqual((done.returncode, done.stderr), (0, b""))


class CountTests(SynchronousTestCase):
    """The numbers of callers on the edges."""

    def setUp(self) -> None:
        self.flow = CallFlow(**COMPANY)
        main_menu = MenuReport(entered=80, given_up=7, silent=3, no_match=2)
        main_menu.chosen.update({"2": 40, "3": 10})
        main_menu.extensions = 20
        main_menu.failed = 5
        self.report = Report(calls=70)
        self.report.menus["main"] = main_menu
        self.report.routes.update({0: 40, 1: 25, None: 15})

    def test_edges_and_menus_have_their_numbers(self) -> None:
        diagram = draw(self.flow, self.report)
        labels = {each.label for each in diagram.edges}
        self.assertLessEqual(
            {"1 (0)", "2 (40)", "3 (10)", "4XX but not 499 (20)"}, labels
        )
        lines = {each.lines[0]: each.lines[-2:] for each in diagram.nodes}
        self.assertEqual(
            lines["menu main"], ("entered 80 times, 7 hung up", "3 silent, 2 wrong")
        )
        self.assertEqual(lines["menu sales"][-1], "no callers")

    def test_edges_of_routes_and_limits_have_their_numbers(self) -> None:
        diagram = draw(self.flow, self.report)
        counts = [
            (each.source.lines[0], each.target.lines[0], each.text, each.count)
            for each in diagram.edges
            if each.source.kind in {Kind.CALLS, Kind.ROUTE} or each.is_failure
        ]
        first, second = "number +441632960000, 100", "argument night"
        self.assertEqual(
            counts,
            [
                ("calls", first, "", 40),
                (first, "menu main", "open", None),
                (first, "menu sales", "closed", None),
                (first, "hangup", "holiday", None),
                ("calls", second, "", 25),
                (second, "menu sales", "", 25),
                ("calls", "menu main", "all others", 15),
                (
                    "dial PJSIP/410, PJSIP/411 at once, 20 s",
                    "voicemail 410",
                    "else",
                    None,
                ),
                ("menu main", "operator", "no input 3 times", 5),
            ],
        )
        self.assertIn('n0 -> n3 [label="(40)", ', to_dot(diagram))

    def test_edge_of_most_callers_is_the_widest(self) -> None:
        diagram = draw(self.flow, self.report)
        widths = {each.label: diagram.width(each) for each in diagram.edges}
        self.assertEqual(widths["2 (40)"], 6)
        self.assertEqual(widths["4XX but not 499 (20)"], 3.5)
        self.assertEqual(widths["1 (0)"], 1)
        self.assertIn('label="2 (40)", penwidth=6.0]', to_dot(diagram))
        self.assertIn(" stroke-width:6.0px\n", to_mermaid(diagram))

    def test_keys_of_a_secret_menu_are_not_counted(self) -> None:
        options = {"12": HANGUP}
        menu = Menu(prompt=prompt_of("enter"), secret=True, options=options)
        report = Report()
        report.menus["main"] = MenuReport(entered=5)
        report.menus["main"].chosen["(secret)"] = 5
        flow = CallFlow(menus={"main": menu})
        [edge] = draw(flow, report).edges[1:]
        self.assertEqual(edge.label, "(secret)")

    def test_without_calls_each_menu_says_so(self) -> None:
        diagram = draw(self.flow, Report())
        menus = [each for each in diagram.nodes if each.kind is Kind.MENU]
        self.assertEqual({each.lines[-1] for each in menus}, {"no callers"})
        self.assertEqual({diagram.width(each) for each in diagram.edges}, {1.0})


class GraphCommandTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name, "twistd.conf")

    def test_graph_prints_the_chosen_format(self) -> None:
        self.file.write_text('[menus.main]\nprompt = ["hello"]\n')
        code, out, err = printed(main, ["graph", str(self.file)])
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(
            out,
            'flowchart LR\n    n0(["calls"])\n    n1["menu main<br/>hello"]\n'
            "    n0 --> n1\n",
        )
        code, out, err = printed(main, ["graph", str(self.file), "--format", "dot"])
        self.assertTrue(out.startswith("digraph menus {\n"))

    def test_numbers_are_those_of_the_records(self) -> None:
        text = '[menus.main]\nprompt = ["hello"]\n[menus.main.options]\n1 = "hangup"\n'
        self.file.write_text(f'{text}[records]\nfolder = "state"')
        harness = RecordsHarness(self.file.parent / "state")
        harness.now = time() - 3600
        harness.writer._waiting += harness.observed(
            started("1.1"),
            MenuEntered(channel_id="1.1", seconds=0, menu="main"),
            KeysEntered(
                channel_id="1.1", seconds=1, menu="main", keys="1", match=Match.OPTION
            ),
            ended("1.1", 2),
        )
        harness.write()
        harness.close()
        for since, expected in (("2h", '|"1 #40;1#41;"|'), ("30m", '|"1 #40;0#41;"|')):
            code, out, err = printed(main, ["graph", str(self.file), "--calls", since])
            self.assertEqual((code, err), (0, ""))
            self.assertIn(expected.replace("#40;", "(").replace("#41;", ")"), out)

    def test_wrong_time_and_missing_records_are_one_line(self) -> None:
        self.file.write_text('[menus.main]\nprompt = ["hello"]\n')
        for since, problem in (
            ("yesterday", "--calls: 'yesterday' is not a time"),
            ("2999-01-01", "--calls: '2999-01-01' is in the future"),
            ("7d", "there is no table [records]"),
        ):
            code, out, err = printed(main, ["graph", str(self.file), "--calls", since])
            self.assertEqual((code, out), (1, ""))
            self.assertIn(problem, err)

    def test_svg_is_drawn_by_graphviz(self) -> None:
        self.file.write_text('[menus.main]\nprompt = ["hello"]\n')
        folder = self.file.parent / "bin"
        folder.mkdir()
        self.patch(os, "environ", {**os.environ, "PATH": str(folder)})
        arguments = ["graph", str(self.file), "--format", "svg"]
        code, out, err = printed(main, arguments)
        self.assertEqual((code, out), (1, ""))
        self.assertIn("apt-get install graphviz", err)
        dot = folder / "dot"
        for script, expected in (
            ("#!/bin/sh\n/bin/cat\n", (0, "digraph menus {")),
            ("#!/bin/sh\nexit 3\n", (1, "")),
        ):
            dot.write_text(script)
            dot.chmod(0o700)
            code, out, err = printed(main, arguments)
            self.assertEqual((code, out[:15]), expected)
        self.assertIn("Graphviz could not draw it", err)

    def test_invalid_file_is_not_drawn(self) -> None:
        self.file.write_text('[menus.main]\nprompt = ["hello"]\nfailure = "nobody"\n')
        code, out, err = printed(main, ["graph", str(self.file)])
        self.assertEqual((code, out), (1, ""))
        self.assertIn("menus.main.failure", err)
