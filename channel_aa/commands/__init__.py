"""The console command ``channel-aa``: tools around one configuration file.

Each module is one subcommand. It has a function ``add``, which adds its parser, and
one that runs it and gives the exit code: 0, or 1 where the answer is bad news. As
everywhere, 2 is an error in the command line.
"""
