"""The policy: rules as data, checked, then compiled to one Python function."""

from agents.monitoring.policies.policy import Policy, PolicyError, Rule, default_policy, load_policy

__all__ = ["Policy", "PolicyError", "Rule", "default_policy", "load_policy"]
