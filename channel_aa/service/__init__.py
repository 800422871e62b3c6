"""The attendant as a service: for the daemon, and for any Twisted program."""

from channel_aa.service.attendant_service import AttendantService, address_of

__all__ = ["AttendantService", "address_of"]
