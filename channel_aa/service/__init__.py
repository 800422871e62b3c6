"""The automated attendant as a Twisted service, with its status."""

from channel_aa.service.attendant_service import AttendantService, address_of

__all__ = ["AttendantService", "address_of"]
