"""From scores to a decision per query: act, escalate, or say that nothing was found."""

from fastcal.policy._per_class import PerClass
from fastcal.policy._policy import OnEscalate, Policy
from fastcal.policy._result import Escalation, PolicyResult, Reason
from fastcal.policy._rules import SPACES, AbstainBand, Decision, GapCheck, ScoreFloor, Space
from fastcal.policy._trace import Step

__all__ = [
    "SPACES",
    "AbstainBand",
    "Decision",
    "Escalation",
    "GapCheck",
    "OnEscalate",
    "PerClass",
    "Policy",
    "PolicyResult",
    "Reason",
    "ScoreFloor",
    "Space",
    "Step",
]
