"""``python -m channel_aa.commands``: the same as ``channel-aa``."""

from channel_aa.commands.main import main

raise SystemExit(main())
