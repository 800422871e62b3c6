"""The attendant as a daemon: signals, systemd, environment, clock."""
