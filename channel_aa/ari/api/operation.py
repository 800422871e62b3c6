"""How an operation of ARI is described, checked, sent and decoded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar, cast

import msgspec

from channel_aa.ari.wire.errors import AriError, decode_response
from channel_aa.ari.wire.requests import Request, is_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from channel_aa.ari.wire.retry import RetryingSender

T = TypeVar("T")

Int = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
"""An integer as Asterisk reads it: 32 bits, signed."""

Count = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
"""An integer that is not negative."""

_UNKNOWN_PATH = "Resource not found"
"""The message of the 404 for a path that Asterisk does not know."""

_NOT_FOUND = 404
_WRONG_METHOD = 405
_REFUSED = (400, _NOT_FOUND, _WRONG_METHOD, 501)
"""The statuses of a request that Asterisk does not know, or takes for another one."""


class ArgumentError(ValueError):
    """A wrong argument; the request was not sent.

    The message names the operation and the argument.
    """


class UnsupportedOperationError(AriError):
    """An operation that this version of Asterisk does not have."""


class ReportedVariable(msgspec.Struct, frozen=True, kw_only=True):
    """The value of a variable, and whether events report it.

    With ``report_events``, later events of the channel or bridge have the variable in
    ``channelvars`` or ``bridgevars``. Needs Asterisk 20.20, 22.10, 23.4 or later.
    """

    value: str
    report_events: bool = True


class _Argument:
    """An argument of an operation.

    Args:
        wire_name: its name in Asterisk's description.
        name: its name here.
        kind: the type that it must have, as msgspec understands it.
        required: whether it has to be given.
    """

    __slots__ = ("is_required", "kind", "name", "wire_name")

    def __init__(
        self, wire_name: str, name: str, kind: object, *, required: bool = False
    ) -> None:
        self.wire_name = wire_name
        self.name = name
        self.kind = kind
        self.is_required = required


class Segment(_Argument):
    """A segment of the path."""


class Query(_Argument):
    """A parameter of the query."""


class QueryList(_Argument):
    """A parameter of the query that may have several values, each of this kind."""


class Body(_Argument):
    """An entry of the JSON body."""


class WholeBody(_Argument):
    """The JSON body."""


class Operation(Generic[T]):
    """An operation of ARI, as Asterisk describes it.

    Args:
        name: its name here: ``channels.answer``.
        method: its HTTP method.
        path: its path below ``/ari``, with names in braces.
        result: the type of its result: None without one, bytes if it is binary.
        *arguments: its arguments.
        since: the first versions that have it, one for each branch.
        idempotent: whether it may be sent again if it is unknown whether Asterisk has
            executed it.
    """

    __slots__ = (
        *("arguments", "idempotent", "method", "name", "path", "result", "since"),
    )

    def __init__(
        self,
        name: str,
        method: str,
        path: str,
        result: type[T],
        *arguments: _Argument,
        since: tuple[str, ...],
        idempotent: bool,
    ) -> None:
        self.name = name
        self.method = method
        self.path = path
        self.result = result
        self.arguments = arguments
        self.since = since
        self.idempotent = idempotent

    def is_in(self, version: str) -> bool:
        """Tell whether a version of Asterisk, such as ``22.10.1``, has the operation.

        A version that is not made of numbers, such as that of a development branch,
        counts as the latest one.
        """
        numbers = _numbers(version)
        if not numbers:
            return True
        first = [_numbers(each) for each in self.since]
        return numbers[0] > max(each[0] for each in first) or any(
            numbers[0] == each[0] and numbers >= each for each in first
        )

    def request(self, values: tuple[object, ...]) -> Request:
        """Make the request.

        Args:
            values: those of `arguments`, in their order; None: not given.

        Raises:
            ArgumentError: a value is wrong.
        """
        segments: dict[str, str] = {}
        query: dict[str, str] = {}
        body: dict[str, Any] = {}
        for argument, value in zip(self.arguments, values, strict=True):
            if value is None and argument.is_required:
                raise self._error(argument, "it is required")
            if isinstance(argument, Segment):
                segments[f"{{{argument.wire_name}}}"] = self._segment(argument, value)
            elif value is None:
                continue
            elif isinstance(argument, Query):
                query[argument.wire_name] = self._text(argument, value)
            elif isinstance(argument, QueryList):
                texts = self._texts(argument, value)
                # Asterisk would divide a text of the query at its commas.
                if any("," in text for text in texts):
                    body[argument.wire_name] = texts
                else:
                    query[argument.wire_name] = ",".join(texts)
            elif isinstance(argument, Body):
                body[argument.wire_name] = self._converted(argument, value)
            else:
                body = self._converted(argument, value)
        path = self.path.removeprefix("/").split("/")
        return Request(
            method=self.method,
            path=tuple([segments.get(each, each) for each in path]),
            query=query,
            body=body or None,
        )

    def _error(self, argument: _Argument, reason: str) -> ArgumentError:
        return ArgumentError(f"{self.name}, argument {argument.name}: {reason}")

    def _converted(self, argument: _Argument, value: object) -> Any:  # noqa: ANN401 - of the argument's type
        try:
            converted = msgspec.convert(value, argument.kind)
            msgspec.json.encode(converted)
        except (TypeError, ValueError, RecursionError, OverflowError) as error:
            raise self._error(argument, str(error)) from error
        return converted

    def _segment(self, argument: _Argument, value: object) -> str:
        text = self._text(argument, value)
        if not is_segment(text):
            raise self._error(argument, f"{text!r} cannot be a part of a path")
        return text

    def _texts(self, argument: _Argument, value: object) -> list[str]:
        values = cast(
            "Sequence[object]", value if isinstance(value, (list, tuple)) else [value]
        )
        texts = [self._text(argument, each) for each in values]
        if not texts or "" in texts:
            reason = "one of its values is empty" if texts else "it has no value"
            raise self._error(argument, reason)
        return texts

    def _text(self, argument: _Argument, value: object) -> str:
        converted = self._converted(argument, value)
        if isinstance(converted, bool):
            return "true" if converted else "false"
        text = str(converted)
        if "\0" in text:
            raise self._error(argument, "it has a NUL, at which Asterisk would end it")
        return text


class Resource:
    """The operations on a kind of ARI's resources.

    Args:
        sender: carries the requests.
        version: returns the version of Asterisk; an empty text while it is unknown.
    """

    def __init__(self, sender: RetryingSender, version: Callable[[], str]) -> None:
        self._sender = sender
        self._version = version

    def _call(self, operation: Operation[T], *values: object) -> Deferred[T]:
        """Send the request of an operation, and decode the result.

        Errors: `AriError`; `UnsupportedOperationError`.

        Raises:
            ArgumentError: a value is wrong.
        """
        request = operation.request(values)
        response: Deferred[Any] = self._sender.send(
            request, idempotent=operation.idempotent
        )

        def decode(body: bytes) -> Any:  # noqa: ANN401 - a T, which mypy cannot see
            if operation.result is type(None):
                return None
            if operation.result is bytes:
                return body
            name = f"result of {operation.name}"
            return decode_response(request, body, operation.result, name)

        return response.addCallbacks(
            decode, self._explain, errbackArgs=(operation, request)
        )

    def _explain(
        self, failure: Failure, operation: Operation[T], request: Request
    ) -> Failure:
        """Say that this Asterisk does not have the operation, if it seems so."""
        error: object = failure.value
        if not isinstance(error, AriError):
            return failure
        version = self._version()
        is_unknown = error.status == _WRONG_METHOD or (
            error.status == _NOT_FOUND and error.message == _UNKNOWN_PATH
        )
        if error.status in _REFUSED and version and not operation.is_in(version):
            remedy = f"{_listed(operation.since)} and later have it"
        elif is_unknown:
            module = f"res_ari_{operation.name.partition('.')[0]}.so"
            remedy = f"is its module {module} loaded?"
        else:
            return failure
        raise UnsupportedOperationError(
            *request.line,
            status=error.status,
            message=f"Asterisk {version} does not have the operation"
            f" {operation.name}: {remedy}",
        ) from error


def _listed(texts: tuple[str, ...]) -> str:
    *others, last = texts
    return f"{', '.join(others)}, {last}" if others else last


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: ``22.10.1+dfsg`` has three."""
    found = re.match(r"[0-9.]*", version)
    parts = found[0].split(".") if found else []
    return tuple([int(part) for part in parts if part])
