"""Texts become sound files, which Asterisk fetches over HTTP."""
