"""Paid labels: who gives them, the ledger that forgets none, and the drivers of procedures that ask for them."""
