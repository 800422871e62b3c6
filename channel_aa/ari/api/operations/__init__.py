"""The operations of ARI, one module for each resource: made by scripts/generate-ari."""
