"""Tests of `real_asterisk`."""
