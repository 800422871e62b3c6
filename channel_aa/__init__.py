"""An automated attendant for Asterisk, and an ARI client for Twisted."""

__version__ = "0.1.0"
