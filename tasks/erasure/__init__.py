"""Erasure: users are taken out of everything a data folder holds of a domain, and stay out."""

from tasks.erasure.erase import Erased, Others, Plan, erase_users, plan_erasure, read_ids

__all__ = ["Erased", "Others", "Plan", "erase_users", "plan_erasure", "read_ids"]
