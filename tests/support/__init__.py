"""What the test modules share."""
