"""Records of calls: made of the events of calls, stored in a database, listed."""
