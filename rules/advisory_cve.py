"""CVE records 5.0 to 5.2 (github.com/CVEProject/cve-schema): what the CNA and every ADP container say is affected.

A version entry with ``changes`` is split where the status changes. What a source marks ``unaffected`` under a default
of ``affected`` is read as its bound. The words of the CNA and of each ADP are kept apart, so that they can disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from rules.advisory_records import Affected, Kev
from rules.advisory_shapes import CVE, MAX_RECORDS, NO_VERSION, Imported, affected_by, document_of, keep, of, scopes_of
from rules.grammars import MAX_TEXT

__all__ = ["cve_of", "read_cve"]

_MOST_VERSIONS = 1000
_MOST_CHANGES = 64
_SCORES = ("cvssV3_1", "cvssV3_0", "cvssV4_0", "cvssV2_0")


def read_cve(data: bytes, source: str) -> Imported:
    """One CVE record 5.x: the ``affected`` blocks of the CNA and of every ADP container."""
    document, out = document_of(data, source)
    return out if document is None else cve_of(document, source)


def cve_of(document: Mapping[str, Any], source: str) -> Imported:
    """One record that is parsed already."""
    out = Imported(formats={"cve"})
    meta = of(document, "cveMetadata", dict)
    cve = of(meta, "cveId", str)
    if not CVE.fullmatch(cve):
        out.problems.append(f"{source}: no CVE record: cveMetadata.cveId is {cve[:40]!r}")
        return out
    out.released = of(meta, "dateUpdated", str)[:10]
    if of(meta, "state", str).upper() == "REJECTED":
        why = next((of(one, "value", str) for one in of(of(of(document, "containers", dict), "cna", dict),
                                                          "rejectedReasons", list)), "")
        out.set_aside[cve] = "rejected by its CNA" + (f": {' '.join(why.split())[:200]}" if why else "")
        return out
    containers = of(document, "containers", dict)
    cna = of(containers, "cna", dict)
    adps = of(containers, "adp", list)[:20]
    said = _said(cna, adps, of(meta, "assignerShortName", str))
    if not said:
        out.problems.append(f"{source}: {cve} names no affected product")
    for container in (cna, *adps):
        out.problems += _contradictions(f"{source}: {cve}", of(container, "affected", list))
    _exploited(out, cve, adps)
    score, by = _score([cna, *adps])
    for vendor, entries in said.items():
        keep(out, source, vendor, entries, {
            "cve": cve, "cwe": _cwe([cna, *adps]), "cvss": score, "cvss_source": by, "note": _note(cna, adps),
            "source": (f"CVE record {cve}",)})
    return out


def _said(cna: object, adps: list[Any], assigner: str) -> dict[str, list[Affected]]:
    """Entries by vendor, in the order met; a container's name tells several ADPs apart.

    A CNA that names no vendor speaks of its own products, if it is a maker's: its name stands for the vendor.
    """
    said: dict[str, list[Affected]] = {}
    for container in (cna, *adps):
        by = "cna" if container is cna else f"adp {_short_name(container)}".strip()
        for block in of(container, "affected", list)[:MAX_RECORDS]:
            vendor = " ".join(of(block, "vendor", str).split()).casefold()
            if vendor in NO_VERSION:
                vendor = _cpe_vendor(block) or (assigner.casefold() if container is cna else "")
            entries = list(_of_block(by, block))
            if entries:
                said.setdefault(vendor or "unknown", []).extend(entries)
    return said


def _short_name(container: object) -> str:
    name: str = of(of(container, "providerMetadata", dict), "shortName", str)
    return name[:40].casefold()


def _cpe_vendor(block: object) -> str:
    """The vendor of the first CPE 2.3 name, where the block itself states none."""
    first = next((one for one in of(block, "cpes", list) if isinstance(one, str)), "")
    parts = first.split(":")
    return parts[3].replace("_", " ") if len(parts) > 4 and parts[:2] == ["cpe", "2.3"] else ""


def _of_block(by: str, block: object) -> Iterator[Affected]:
    product = of(block, "product", str)
    models = scopes_of(product)
    default = of(block, "defaultStatus", str)
    versions = [one for one in of(block, "versions", list) if isinstance(one, Mapping)][:_MOST_VERSIONS]
    if not versions and default == "affected":
        yield affected_by(by, models, "affected by default, no version stated", named=bool(models), bounds={})
    # A CNA that says "unknown" of the rest means it; an ADP fills that in by default and means nothing by it.
    open_ends = default == "affected" or (default == "unknown" and by == "cna")
    listed = [one for one in versions if (of(one, "status", str) or "affected") != "unaffected"
              or any(of(change, "status", str) == "affected" for change in of(one, "changes", list))]
    denied = _denied(versions)
    spared = tuple(dict.fromkeys(of(one, "version", str).strip() for one in versions if _single(one)))
    for version in listed:
        for text, bounds in _of_version(version):
            more: dict[str, Any] = {"below_unknown": True, "above_unknown": True} if bounds and open_ends else {}
            if bounds and spared and default != "affected":
                more["spared"] = spared
            read = {**bounds, **more} if bounds is not None else None
            yield affected_by(by, models, text, named=bool(models), bounds=read, contradicted=_key(version) in denied)
    if not listed and default == "affected":
        for version in versions:
            yield from _all_but(by, models, version)


def _key(version: object) -> tuple[str, ...]:
    return tuple(of(version, key, str).strip() for key in ("version", "lessThan", "lessThanOrEqual"))


def _single(version: object) -> bool:
    """Whether an entry calls one version not affected, and no range of them."""
    return (of(version, "status", str) == "unaffected" and not any(_key(version)[1:])
            and not of(version, "changes", list) and _key(version)[0].casefold() not in {*NO_VERSION, "0"}
            and len(_key(version)[0]) <= MAX_TEXT)


def _denied(versions: list[Any]) -> set[tuple[str, ...]]:
    """Ranges and versions that a block calls affected in one entry and not affected in another."""
    said = {status: {_key(one) for one in versions if not of(one, "changes", list)
                     and (of(one, "status", str) or "affected") == status} for status in ("affected", "unaffected")}
    return said["affected"] & said["unaffected"]


def _contradictions(cve: str, blocks: list[Any]) -> Iterator[str]:
    for block in blocks[:MAX_RECORDS]:
        versions = [one for one in of(block, "versions", list) if isinstance(one, Mapping)][:_MOST_VERSIONS]
        for start, before, last in sorted(_denied(versions)):
            text = f"{start}{f' < {before}' if before else ''}{f' <= {last}' if last else ''}"
            yield f"{cve}: {text[:120]} is said to be affected and not affected; it answers disputed"
        if any(not isinstance(one, Mapping) or not isinstance(one.get("version", ""), str)
               for one in of(block, "versions", list)[:_MOST_VERSIONS]):
            yield f"{cve}: an entry of its versions has not the shape of one; its words answer unknown"


def _of_version(version: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    """Text and bounds of what one version entry calls affected; bounds are None where only the words can be read."""
    start, before, last = (of(version, key, str).strip() for key in ("version", "lessThan", "lessThanOrEqual"))
    text = f"{start}{f' < {before}' if before else ''}{f' <= {last}' if last else ''}"
    if of(version, "versionType", str) == "git":
        yield f"{text} (git commits)", {}
        return
    status = of(version, "status", str) or "affected"
    changes = [(of(one, "at", str).strip(), of(one, "status", str))
               for one in of(version, "changes", list)[:_MOST_CHANGES]]
    if changes:
        text += "".join(f"; {word} from {at}" for at, word in changes)
    points = [(start, status), *changes]
    for place, (begin, word) in enumerate(points):
        if word == "affected":
            if place + 1 < len(points):
                yield text, _range(begin, points[place + 1][0], "")
            else:
                yield text, _range(begin, before, last) if before or last or changes else None
        elif word != "unaffected":
            yield f"{text} ({word or 'status not stated'})", {}


def _range(start: str, before: str, last: str) -> Mapping[str, Any]:
    """Bounds of a range; empty, so that the words alone are kept, where an end is no version."""
    begin = "" if start.casefold() in {*NO_VERSION, "0"} else start
    if "*" in (before, last) or not (before or last):
        return {"since": begin} if begin else {"every": True}
    end = before or last
    if end.casefold() in NO_VERSION:
        return {}
    return {**({"since": begin} if begin else {}), "before" if before else "until": end}


def _all_but(by: str, models: tuple[str, ...], version: Mapping[str, Any]) -> Iterator[Affected]:
    """What is affected where everything is but this entry: what lies below it for sure, above a bounded one as well."""
    start, before, last = (of(version, key, str).strip() for key in ("version", "lessThan", "lessThanOrEqual"))
    text = f"all but {start}{f' < {before}' if before else ''}{f' <= {last}' if last else ''}"
    named = bool(models)
    if start.casefold() in NO_VERSION or of(version, "versionType", str) == "git":
        yield affected_by(by, models, text, named=named, bounds={})
        return
    if start != "0":
        ends = "*" in (before, last)
        yield affected_by(by, models, text, named=named,
                          bounds={"before": start, **({} if ends else {"above_unknown": True})})
    if before and before != "*":
        yield affected_by(by, models, text, named=named, bounds={"since": before, "below_unknown": True})


def _score(containers: list[Any]) -> tuple[float | None, str]:
    """The CVSS base score that counts, and whose it is: 3.1 of the CNA first, then of an ADP, then other versions."""
    for key in _SCORES:
        for container in containers:
            for metric in of(container, "metrics", list):
                score = of(metric, key, dict).get("baseScore")
                if isinstance(score, int | float) and 0 <= score <= 10:
                    return float(score), f"{_short_name(container) or 'cna'} v{key[5:].replace('_', '.')}"
    return None, ""


def _cwe(containers: list[Any]) -> str | None:
    for container in containers:
        for kind in of(container, "problemTypes", list):
            for told in of(kind, "descriptions", list):
                found: str = of(told, "cweId", str)
                if found.startswith("CWE-") and found[4:].isdecimal() and len(found) < 12:
                    return found
    return None


def _others(adps: list[Any], kind: str) -> Iterator[Mapping[str, Any]]:
    for container in adps:
        for metric in of(container, "metrics", list):
            other = of(metric, "other", dict)
            if of(other, "type", str).casefold() == kind:
                yield of(other, "content", dict)


def _exploited(out: Imported, cve: str, adps: list[Any]) -> None:
    """CISA's ADP repeats the KEV entry beside the record."""
    for content in _others(adps, "kev"):
        try:
            out.kev[cve] = Kev(added=date.fromisoformat(of(content, "dateAdded", str)), source=f"CISA ADP in {cve}")
        except ValueError:
            out.problems.append(f"{cve}: a KEV entry without a day: {of(content, 'dateAdded', str)[:40]!r}")


def _note(cna: object, adps: list[Any]) -> str:
    title = " ".join(of(cna, "title", str).split())[:200]
    options = [one for content in _others(adps, "ssvc") for one in of(content, "options", list)]
    exploited = next((of(one, "Exploitation", str) for one in options if of(one, "Exploitation", str)), "")
    told = (title, f"CISA SSVC, exploitation: {exploited[:20]}" if exploited else "")
    return "; ".join(part for part in told if part)
