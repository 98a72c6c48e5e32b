"""The JSON that verbs print of domain values: stable names, documented in docs/json.md, each shape in one place."""

from __future__ import annotations

from datetime import date
from typing import Any

from rules.vocabulary import Effect, Finding, Identity, ListVersion, Verdict

__all__ = ["effect_json", "finding_json", "identity_json", "list_json", "verdict_json"]


def identity_json(found: Identity) -> dict[str, Any]:
    """One identity in the stable form of the command-line contract."""
    return {
        "device": found.device, "maker": found.maker, "maker_name": found.maker_name, "brand": found.brand,
        "model": found.model, "firmware": found.firmware, "serial": found.serial,
        "mac": found.macs[0] if found.macs else None, "macs": list(found.macs), "kind": str(found.kind),
        "assurance": str(found.assurance), "confidence": round(found.confidence, 3), "makers": list(found.makers),
        "evidence": [{"claim": e.claim, "value": e.value, "strength": str(e.strength), "basis": str(e.basis),
                      "because": e.because, "signal": e.signal, "observations": list(e.observations),
                      "unverified": e.unverified} for e in found.evidence],
        "conflicts": [{"claim": c.claim, "values": list(c.values), "because": c.because} for c in found.conflicts],
        "channels": [{"number": c.number, "device": c.device} for c in found.channels],
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """One finding: rule, how it ended and why, what it rests on, what to do."""
    return {
        "rule": finding.rule, "rule_version": finding.rule_version, "title": finding.title,
        "status": str(finding.status), "severity": str(finding.severity), "reason": finding.reason,
        "remedy": finding.remedy, "evidence": list(finding.evidence),
        "standards": [{"standard": standard, "control": control} for standard, control in finding.standards],
        "facts": dict(finding.facts),
    }


def effect_json(effect: Effect) -> dict[str, Any]:
    """What one regime says for one buyer; `listed` and `condition_met` are booleans unless they need a word."""
    def word(value: str | None) -> str | bool | None:
        return {"true": True, "false": False}.get(value or "", value)

    return {
        "entity": effect.entity, "regime": effect.regime, "name": effect.name, "listed": word(effect.listed),
        "in_force": effect.in_force,
        "binds_buyer": effect.binds_buyer, "buyer": effect.buyer, "activity": effect.activity,
        "effect": str(effect.effect), "because": effect.because, "condition": effect.condition,
        "condition_met": word(effect.condition_met), "duty": list(effect.duty), "citation": effect.citation,
        "listed_on": effect.listed_on.isoformat() if effect.listed_on else None,
        "effective_on": effect.effective_on.isoformat() if effect.effective_on else None,
        "removed_on": effect.removed_on.isoformat() if effect.removed_on else None,
        "exceptions": list(effect.exceptions), "why_listed": effect.why_listed, "source": effect.source,
        "unverified": effect.unverified,
    }


def list_json(version: ListVersion, on: date) -> dict[str, Any]:
    """Which edition of a list or rule set was used, how old it was on the day it was asked about, and if too old."""
    return {"id": version.id, "name": version.name, "version": version.version, "dated": version.dated.isoformat(),
            "age_days": version.age_days(on), "stale": version.stale(on)}


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict with everything it rests on."""
    return {
        "outcome": str(verdict.outcome), "policy": verdict.policy, "policy_version": verdict.policy_version,
        "as_of": verdict.as_of.isoformat(), "expires": verdict.expires.isoformat(), "reasons": list(verdict.reasons),
        "rules": list(verdict.rules), "overall": str(verdict.overall),
        "findings": [finding_json(finding) for finding in verdict.findings],
        "effects": [effect_json(effect) for effect in verdict.effects],
        "lists": [list_json(version, verdict.as_of) for version in verdict.lists],
    }
