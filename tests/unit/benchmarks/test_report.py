"""Results, targets, report and chart of the benchmark."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from benchmarks import chart, report, targets
from benchmarks.load.record import Record
from benchmarks.profiling import shares
from benchmarks.results import Result, result_of, spread_of
from benchmarks.soak import Sample, bytes_left_by_a_call

TITLES = {"http": "ours over HTTP", "websocket": "ours <over> it", "node": "Node.js"}
SVG = "{http://www.w3.org/2000/svg}"


def result(program: str = "websocket", calls: int = 500, **changes: object) -> Result:
    """A result: half a core for 5000 requests a second."""
    record = Record(requests=50_000, events=90_000, keys=100)
    record.stop_delays = [0.001, 0.002, 0.004]
    record.silences = [0.001]
    measured = {
        "program": program,
        "calls": calls,
        "seconds": 10.0,
        "cpu_seconds": 5.0,
        "load_cpu_seconds": 2.0,
        "others_seconds": 0.0,
        "idle_seconds": 5.0,
        "load_idle_seconds": 8.0,
        "probe_seconds": 0.02,
        "stolen_seconds": 0.0,
        "idle_kib": 50_000,
        "memory_kib": 55_000,
        "connections_lost": 0,
        **record.as_json(),
    }
    return result_of({**measured, **changes})


class SpreadTests(SynchronousTestCase):
    def test_median_and_99th_percentile_are_measured_values(self) -> None:
        spread = spread_of([each / 1000 for each in range(200, 0, -1)])
        self.assertEqual(
            (spread.count, spread.median, spread.p99, spread.longest),
            (200, 100.0, 198.0, 200.0),
        )

    def test_spread_of_no_times_is_empty(self) -> None:
        spread = spread_of([])
        self.assertEqual((spread.count, spread.median, spread.p99), (0, None, None))

    def test_spread_of_one_time(self) -> None:
        spread = spread_of([0.25])
        self.assertEqual((spread.median, spread.p99, spread.longest), (250,) * 3)


class ResultTests(SynchronousTestCase):
    def test_cost_is_divided_among_requests_and_calls(self) -> None:
        measured = result()
        self.assertEqual(measured.core, 0.5)
        self.assertAlmostEqual(measured.cpu_ms_a_request, 0.1)
        self.assertAlmostEqual(measured.cpu_ms_a_call_minute, 60.0)
        self.assertEqual(measured.kib_a_call, 10.0)

    def test_program_on_a_full_core_does_not_keep_up(self) -> None:
        self.assertTrue(result().keeps_up)
        self.assertFalse(result(cpu_seconds=9.8, idle_seconds=0.2).keeps_up)

    def test_program_on_a_core_filled_by_others_does_not_keep_up(self) -> None:
        self.assertFalse(result(others_seconds=4.9, idle_seconds=0.1).keeps_up)


class TableTests(SynchronousTestCase):
    def test_numbers_are_right_aligned_and_words_left_aligned(self) -> None:
        rows = [("1", "one"), ("1000", "a thousand")]
        self.assertEqual(
            list(report.table(("number", "word"), rows)),
            [
                "| number | word       |",
                "| -----: | ---------- |",
                "|      1 | one        |",
                "|   1000 | a thousand |",
            ],
        )

    def test_report_has_machine_programs_and_targets(self) -> None:
        results = [result("http"), result("websocket"), result("node")]
        verdicts = targets.judge(results)
        text = report.tables(
            results, verdicts, titles=TITLES, machine={"processor": "a quick one"}
        )
        self.assertIn("- processor: a quick one", text)
        for title in TITLES.values():
            self.assertIn(f"| {title}", text)
        for target in targets.TARGETS:
            self.assertIn(target.what, text)

    def test_report_has_remarks_on_misleading_numbers(self) -> None:
        self.assertEqual(list(report.remarks(result())), [])
        remarks = "; ".join(
            report.remarks(
                result(
                    idle_seconds=0.0,
                    load_idle_seconds=0.0,
                    others_seconds=3.0,
                    stolen_seconds=0.5,
                    blocked_seconds=0.5,
                    connections_lost=1,
                    calls_unanswered=2,
                    calls_sent_away=3,
                )
            )
        )
        for words in (
            "does not keep up",
            "the load's core is full",
            "other processes ran for 30% of the time",
            "the machine's host took its core for 5% of the time",
            "read no events for 0.5 s",
            "lost its connection 1 times",
            "2 calls were not answered",
            "3 calls were sent away",
        ):
            self.assertIn(words, remarks)


class TargetTests(SynchronousTestCase):
    def judged(self, *results: Result) -> dict[tuple[int, str], str]:
        return {
            (each.target.calls, each.target.what): each.words
            for each in targets.judge(results)
        }

    def test_unmeasured_target_is_neither_reached_nor_missed(self) -> None:
        self.assertEqual(set(self.judged().values()), {"not measured"})

    def test_target_met_exactly_is_reached(self) -> None:
        judged = self.judged(result(calls=1000))
        self.assertEqual(judged[1000, "CPU a request"], "reached")
        self.assertEqual(judged[1000, "keys lost"], "reached")

    def test_lost_key_misses_the_target(self) -> None:
        judged = self.judged(result(calls=1000, keys_lost=1))
        self.assertEqual(judged[1000, "keys lost"], "missed")

    def test_targets_without_times_are_not_reached(self) -> None:
        judged = self.judged(result(calls=1000, stop_delays=[]))
        self.assertEqual(judged[1000, "key to stop, median"], "not measured")

    def test_programs_are_compared_within_one_run(self) -> None:
        compared = 500, "CPU a request, as a part of Node.js's"
        ours, node = result(), result("node", cpu_seconds=9.0)
        self.assertEqual(self.judged(ours)[compared], "not measured")
        self.assertEqual(self.judged(ours, node)[compared], "reached")

    def test_comparison_with_a_program_that_did_not_keep_up_is_marked(self) -> None:
        judged = self.judged(result(), result("http", idle_seconds=0.0))
        self.assertEqual(
            judged[500, "CPU a request, as a part of that over HTTP"],
            "missed; did not keep up: http",
        )


class ChartTests(SynchronousTestCase):
    def test_results_have_a_bar_in_each_panel(self) -> None:
        results = [result(name, calls) for calls in (100, 1000) for name in TITLES]
        root = ET.fromstring(chart.draw(results, titles=TITLES))  # noqa: S314 - ours
        bars = root.findall(f".//{SVG}g//{SVG}rect")
        self.assertEqual(len(bars), len(results) * len(chart.PANELS))
        texts = {each.text for each in root.iter(f"{SVG}text")}
        self.assertLessEqual({*TITLES.values(), "100", "1000"}, texts)

    def test_unmeasured_value_leaves_a_gap(self) -> None:
        results = [result("http", 100), result("websocket", 1000, stop_delays=[])]
        root = ET.fromstring(chart.draw(results, titles=TITLES))  # noqa: S314 - ours
        bars = root.findall(f".//{SVG}g//{SVG}rect")
        self.assertEqual(len(bars), 2 * len(chart.PANELS) - 1)
        self.assertIn("none", {each.text for each in root.iter(f"{SVG}text")})

    def test_full_core_is_drawn_pale(self) -> None:
        drawn = chart.draw([result(idle_seconds=0.0)], titles=TITLES)
        self.assertIn('class="full"', drawn)
        self.assertNotIn('class="full"', chart.draw([result()], titles=TITLES))

    @given(
        values=st.lists(st.just(0.0) | st.floats(1e-6, 1e6), min_size=1, max_size=9),
        is_logarithmic=st.booleans(),
    )
    def test_scale_has_room_for_all_values(
        self, *, values: list[float], is_logarithmic: bool
    ) -> None:
        scale = chart.scale_for(values, is_logarithmic=is_logarithmic)
        for value in values:
            self.assertGreaterEqual(scale(value), 0.0)
            self.assertLessEqual(scale(value), 1.0 + 1e-9)
        self.assertEqual(list(scale.ticks), sorted(set(scale.ticks)))


class SoakTests(SynchronousTestCase):
    def test_constant_memory_is_flat_after_any_start(self) -> None:
        samples = [Sample(calls, 1000) for calls in range(0, 1000, 100)]
        samples[0] = Sample(0, 1)
        self.assertEqual(bytes_left_by_a_call(samples), 0.0)

    def test_memory_growth_per_call_is_measured(self) -> None:
        samples = [Sample(calls, 1000 + calls // 2) for calls in range(0, 1000, 100)]
        self.assertAlmostEqual(bytes_left_by_a_call(samples), 512.0)

    def test_single_sample_has_no_growth(self) -> None:
        self.assertEqual(bytes_left_by_a_call([Sample(10, 1000)]), 0.0)


class ProfileTests(SynchronousTestCase):
    def test_own_share_of_a_function_excludes_its_callees(self) -> None:
        stacks = ["main;run;work 60", "main;run 20", "main;Reactor.doPoll 20"]
        lines = list(shares(stacks))
        self.assertIn("80 samples, and 20 more of it waiting", lines)
        self.assertIn(" 75.0%  75.0%  work", lines)
        self.assertIn(" 25.0% 100.0%  run", lines)
