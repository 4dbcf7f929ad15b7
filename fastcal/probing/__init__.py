"""Thresholds from probing: estimates that are no certificates, with what a certificate would have taken."""
