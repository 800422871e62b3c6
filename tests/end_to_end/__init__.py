"""The daemon, the commands and the shipped dialplan on a real Asterisk."""
