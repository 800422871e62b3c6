"""The operations of ARI that the simulator models, one module for each resource."""
