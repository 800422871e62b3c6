"""Sounds and keys: what a dialogue with the person at a phone consists of."""
