"""The operations of ARI that the simulator models.

Statuses and messages are those that Asterisk 22.10.1 was seen to use.
"""
