"""The attendant as a process of its own: signals, systemd, the environment."""
