"""The events and models that the client reads agree with those of Asterisk."""

from __future__ import annotations

from msgspec import inspect
from twisted.trial.unittest import SynchronousTestCase

from channel_aa.ari import events
from channel_aa.ari.api import events as api_events

Fields = dict[str, inspect.Field]


def fields_of(described: inspect.Type) -> Fields:
    assert isinstance(described, inspect.StructType), described
    return {each.encode_name: each for each in described.fields}


def without_none(described: inspect.Type) -> inspect.Type:
    if isinstance(described, inspect.UnionType):
        kinds = [e for e in described.types if not isinstance(e, inspect.NoneType)]
        if len(kinds) == 1:
            return kinds[0]
    return described


class AgreementTests(SynchronousTestCase):
    def disagreements(
        self, ours: inspect.Type, theirs: inspect.Type, place: str
    ) -> list[str]:
        """Return the places where a type that the client reads is another one."""
        ours, theirs = without_none(ours), without_none(theirs)
        if isinstance(ours, inspect.StructType):
            described = fields_of(theirs)
            return [
                each
                for name, field in fields_of(ours).items()
                for each in (
                    self.disagreements(
                        field.type, described[name].type, f"{place}.{name}"
                    )
                    if name in described
                    else [f"{place}.{name} does not exist"]
                )
            ]
        if isinstance(ours, inspect.VarTupleType):
            assert isinstance(theirs, inspect.VarTupleType), place
            return self.disagreements(ours.item_type, theirs.item_type, f"{place}[]")
        if place.endswith(".timestamp"):  # the client does not read it
            return []
        return [] if type(ours) is type(theirs) else [f"{place} is {theirs}"]

    def test_fields_that_the_client_reads(self) -> None:
        kinds = events.KnownEvent.__subclasses__()
        self.assertGreater(len(kinds), 10)
        for kind in kinds:
            name = kind.__name__
            with self.subTest(event=name):
                ours = inspect.type_info(kind)
                theirs = inspect.type_info(getattr(api_events, name))
                self.assertEqual(self.disagreements(ours, theirs, name), [])

    def test_fields_that_the_client_requires(self) -> None:
        """A field that Asterisk may omit is not required."""
        for kind in events.KnownEvent.__subclasses__():
            theirs = fields_of(inspect.type_info(getattr(api_events, kind.__name__)))
            for name, field in fields_of(inspect.type_info(kind)).items():
                if field.required:
                    with self.subTest(event=kind.__name__, field=name):
                        self.assertTrue(theirs[name].required)
