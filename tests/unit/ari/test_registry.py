"""The registry of handles, and the ids of new ones."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari.registry import Ids, Registry


class _Handle:
    def __init__(self, handle_id: str) -> None:
        self.id = handle_id


class _OtherHandle(_Handle):
    pass


class RegistryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.registry = Registry()

    def test_handle_is_in_the_table_of_its_class_until_it_is_discarded(self) -> None:
        table = self.registry.table(_Handle)
        handle = _Handle("1")
        self.registry.add(handle)
        self.assertEqual(table, {"1": handle})
        self.registry.discard(handle)
        self.assertEqual(table, {})

    def test_handles_of_different_classes_may_have_one_id(self) -> None:
        handle, other = _Handle("1"), _OtherHandle("1")
        self.registry.add(handle)
        self.registry.add(other)
        self.assertIs(self.registry.table(_Handle)["1"], handle)
        self.assertIs(self.registry.table(_OtherHandle)["1"], other)

    def test_discarded_handle_does_not_take_its_successor_along(self) -> None:
        """A channel may leave, and enter again before the end of its call."""
        first, second = _Handle("1"), _Handle("1")
        self.registry.add(first)
        self.registry.add(second)
        self.registry.discard(first)
        self.assertIs(self.registry.table(_Handle)["1"], second)

    def test_handle_that_was_never_added_may_be_discarded(self) -> None:
        self.registry.discard(_Handle("1"))
        self.registry.table(_Handle)
        self.registry.discard(_Handle("1"))


class IdsTests(SynchronousTestCase):
    def test_ids_begin_with_their_prefix_and_differ(self) -> None:
        ids = Ids()
        made = [ids.new("bridge-"), ids.new("bridge-"), Ids().new("bridge-")]
        self.assertTrue(all(each.startswith("bridge-") for each in made))
        self.assertEqual(len(set(made)), 3)
