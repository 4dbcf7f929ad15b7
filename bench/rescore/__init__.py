"""Rescoring of files beside reading and writing them."""
