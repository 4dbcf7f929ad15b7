"""Exact search beside its peers: ``python -m bench.search`` (see bench/README.md)."""
