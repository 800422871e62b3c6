"""The operations on Asterisk itself: modules, logs, variables, configuration."""

# Made by scripts/generate-ari from the descriptions of Asterisk: do not edit it.
# ruff: noqa: A002 - the names are Asterisk's
from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from channel_aa.ari.api.models import (
    AsteriskInfo,
    AsteriskPing,
    ConfigTuple,
    LogChannel,
    Module,
    Variable,
)
from channel_aa.ari.api.operation import (
    Body,
    Operation,
    Query,
    QueryList,
    Resource,
    Segment,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.defer import Deferred

__all__ = [
    "Asterisk",
]

_GET_OBJECT = Operation(
    "asterisk.get_object",
    "GET",
    "/asterisk/config/dynamic/{configClass}/{objectType}/{id}",
    tuple[ConfigTuple, ...],
    Segment("configClass", "config_class", str),
    Segment("objectType", "object_type", str),
    Segment("id", "id", str),
    since=("13.5.0",),
    idempotent=True,
)
_UPDATE_OBJECT = Operation(
    "asterisk.update_object",
    "PUT",
    "/asterisk/config/dynamic/{configClass}/{objectType}/{id}",
    tuple[ConfigTuple, ...],
    Segment("configClass", "config_class", str),
    Segment("objectType", "object_type", str),
    Segment("id", "id", str),
    Body("fields", "fields", tuple[ConfigTuple, ...]),
    since=("13.5.0",),
    idempotent=True,
)
_DELETE_OBJECT = Operation(
    "asterisk.delete_object",
    "DELETE",
    "/asterisk/config/dynamic/{configClass}/{objectType}/{id}",
    type(None),
    Segment("configClass", "config_class", str),
    Segment("objectType", "object_type", str),
    Segment("id", "id", str),
    since=("13.5.0",),
    idempotent=True,
)
_GET_INFO = Operation(
    "asterisk.get_info",
    "GET",
    "/asterisk/info",
    AsteriskInfo,
    QueryList("only", "only", Literal["build", "system", "config", "status"]),
    since=("12.0.0",),
    idempotent=True,
)
_PING = Operation(
    "asterisk.ping",
    "GET",
    "/asterisk/ping",
    AsteriskPing,
    since=("13.25.0", "16.2.0"),
    idempotent=True,
)
_LIST_MODULES = Operation(
    "asterisk.list_modules",
    "GET",
    "/asterisk/modules",
    tuple[Module, ...],
    since=("13.5.0",),
    idempotent=True,
)
_GET_MODULE = Operation(
    "asterisk.get_module",
    "GET",
    "/asterisk/modules/{moduleName}",
    Module,
    Segment("moduleName", "module_name", str),
    since=("13.5.0",),
    idempotent=True,
)
_LOAD_MODULE = Operation(
    "asterisk.load_module",
    "POST",
    "/asterisk/modules/{moduleName}",
    type(None),
    Segment("moduleName", "module_name", str),
    since=("13.5.0",),
    idempotent=False,
)
_UNLOAD_MODULE = Operation(
    "asterisk.unload_module",
    "DELETE",
    "/asterisk/modules/{moduleName}",
    type(None),
    Segment("moduleName", "module_name", str),
    since=("13.5.0",),
    idempotent=True,
)
_RELOAD_MODULE = Operation(
    "asterisk.reload_module",
    "PUT",
    "/asterisk/modules/{moduleName}",
    type(None),
    Segment("moduleName", "module_name", str),
    since=("13.5.0",),
    idempotent=True,
)
_LIST_LOG_CHANNELS = Operation(
    "asterisk.list_log_channels",
    "GET",
    "/asterisk/logging",
    tuple[LogChannel, ...],
    since=("13.6.0",),
    idempotent=True,
)
_ADD_LOG = Operation(
    "asterisk.add_log",
    "POST",
    "/asterisk/logging/{logChannelName}",
    type(None),
    Segment("logChannelName", "log_channel_name", str),
    Query("configuration", "configuration", str, required=True),
    since=("13.6.0",),
    idempotent=False,
)
_DELETE_LOG = Operation(
    "asterisk.delete_log",
    "DELETE",
    "/asterisk/logging/{logChannelName}",
    type(None),
    Segment("logChannelName", "log_channel_name", str),
    since=("13.6.0",),
    idempotent=True,
)
_ROTATE_LOG = Operation(
    "asterisk.rotate_log",
    "PUT",
    "/asterisk/logging/{logChannelName}/rotate",
    type(None),
    Segment("logChannelName", "log_channel_name", str),
    since=("13.6.0",),
    idempotent=False,
)
_GET_GLOBAL_VAR = Operation(
    "asterisk.get_global_var",
    "GET",
    "/asterisk/variable",
    Variable,
    Query("variable", "variable", str, required=True),
    since=("12.0.0",),
    idempotent=True,
)
_SET_GLOBAL_VAR = Operation(
    "asterisk.set_global_var",
    "POST",
    "/asterisk/variable",
    type(None),
    Query("variable", "variable", str, required=True),
    Query("value", "value", str),
    since=("12.0.0",),
    idempotent=True,
)


class Asterisk(Resource):
    """The operations on Asterisk itself: modules, logs, variables, configuration."""

    def get_object(
        self, *, config_class: str, object_type: str, id: str
    ) -> Deferred[tuple[ConfigTuple, ...]]:
        """Read an object of the dynamic configuration.

        ``GET /asterisk/config/dynamic/{configClass}/{objectType}/{id}``.
        """
        return self._call(_GET_OBJECT, config_class, object_type, id)

    def update_object(
        self,
        *,
        config_class: str,
        object_type: str,
        id: str,
        fields: Sequence[ConfigTuple] | None = None,
    ) -> Deferred[tuple[ConfigTuple, ...]]:
        """Create or change an object of dynamic configuration.

        ``PUT /asterisk/config/dynamic/{configClass}/{objectType}/{id}``.
        """
        return self._call(_UPDATE_OBJECT, config_class, object_type, id, fields)

    def delete_object(
        self, *, config_class: str, object_type: str, id: str
    ) -> Deferred[None]:
        """Remove an object of the dynamic configuration.

        ``DELETE /asterisk/config/dynamic/{configClass}/{objectType}/{id}``.
        """
        return self._call(_DELETE_OBJECT, config_class, object_type, id)

    def get_info(
        self,
        *,
        only: Literal["build", "system", "config", "status"]
        | Sequence[Literal["build", "system", "config", "status"]]
        | None = None,
    ) -> Deferred[AsteriskInfo]:
        """Read what Asterisk says of itself.

        ``GET /asterisk/info``.
        """
        return self._call(_GET_INFO, only)

    def ping(self) -> Deferred[AsteriskPing]:
        """Have Asterisk answer.

        ``GET /asterisk/ping``. Needs Asterisk 16.2.0 or later.
        """
        return self._call(_PING)

    def list_modules(self) -> Deferred[tuple[Module, ...]]:
        """Read the state of all modules.

        ``GET /asterisk/modules``.
        """
        return self._call(_LIST_MODULES)

    def get_module(self, *, module_name: str) -> Deferred[Module]:
        """Read the state of a module.

        ``GET /asterisk/modules/{moduleName}``.
        """
        return self._call(_GET_MODULE, module_name)

    def load_module(self, *, module_name: str) -> Deferred[None]:
        """Load a module.

        ``POST /asterisk/modules/{moduleName}``.
        """
        return self._call(_LOAD_MODULE, module_name)

    def unload_module(self, *, module_name: str) -> Deferred[None]:
        """Unload a module.

        ``DELETE /asterisk/modules/{moduleName}``.
        """
        return self._call(_UNLOAD_MODULE, module_name)

    def reload_module(self, *, module_name: str) -> Deferred[None]:
        """Have a module read its configuration again.

        ``PUT /asterisk/modules/{moduleName}``.
        """
        return self._call(_RELOAD_MODULE, module_name)

    def list_log_channels(self) -> Deferred[tuple[LogChannel, ...]]:
        """Read the channels of the log.

        ``GET /asterisk/logging``.
        """
        return self._call(_LIST_LOG_CHANNELS)

    def add_log(self, *, log_channel_name: str, configuration: str) -> Deferred[None]:
        """Add a channel of the log.

        ``POST /asterisk/logging/{logChannelName}``.
        """
        return self._call(_ADD_LOG, log_channel_name, configuration)

    def delete_log(self, *, log_channel_name: str) -> Deferred[None]:
        """Remove a channel of the log.

        ``DELETE /asterisk/logging/{logChannelName}``.
        """
        return self._call(_DELETE_LOG, log_channel_name)

    def rotate_log(self, *, log_channel_name: str) -> Deferred[None]:
        """Begin a new file of a channel of the log.

        ``PUT /asterisk/logging/{logChannelName}/rotate``.
        """
        return self._call(_ROTATE_LOG, log_channel_name)

    def get_global_var(self, *, variable: str) -> Deferred[Variable]:
        """Read a global variable or a function.

        ``GET /asterisk/variable``.
        """
        return self._call(_GET_GLOBAL_VAR, variable)

    def set_global_var(
        self, *, variable: str, value: str | None = None
    ) -> Deferred[None]:
        """Set a global variable.

        ``POST /asterisk/variable``.
        """
        return self._call(_SET_GLOBAL_VAR, variable, value)
