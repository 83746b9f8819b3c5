"""The policy: rules as data, checked, then compiled to one Python function."""

from agents.monitoring.policies.declarations import Budget, Policy, Rule
from agents.monitoring.policies.policy import (
    DEFAULT,
    Checked,
    check_policy,
    compile_policy,
    default_policy,
    load_policy,
    read_file,
)
from agents.monitoring.policies.problems import PolicyError, Problem

__all__ = [
    "DEFAULT",
    "Budget",
    "Checked",
    "Policy",
    "PolicyError",
    "Problem",
    "Rule",
    "check_policy",
    "compile_policy",
    "default_policy",
    "load_policy",
    "read_file",
]
