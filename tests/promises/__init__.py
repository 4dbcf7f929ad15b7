"""The coverage protocol: pools of known truth, procedures that promise, recipes that must be caught breaking it."""
