"""CSAF 2.0 advisories (OASIS): products of the tree, their relationships, and what each vulnerability says of them.

``known_affected``, ``first_affected`` and ``last_affected`` are affected, ``known_not_affected`` clears a product,
``under_investigation`` is kept as words, and ``fixed`` and ``first_fixed`` give the fixed version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.advisory_records import Affected
from rules.advisory_shapes import CVE, MAX_RECORDS, Imported, affected_by, document_of, keep, of, scopes_of

__all__ = ["csaf_of", "read_csaf"]

MAX_DEPTH = 12
_VERSION = {"product_version", "product_version_range"}
_MODEL = {"product_name", "product_family"}


@dataclass(frozen=True, slots=True)
class _Product:
    """What one product id stands for."""

    vendor: str = ""
    model: str = ""
    version: str = ""


def read_csaf(data: bytes, source: str) -> Imported:
    """One CSAF 2.0 advisory: the products that each vulnerability's ``product_status`` names."""
    document, out = document_of(data, source)
    return out if document is None else csaf_of(document, source)


def csaf_of(document: Mapping[str, Any], source: str) -> Imported:
    """One advisory that is parsed already."""
    out = Imported(formats={"csaf"})
    tracking = of(of(document, "document", dict), "tracking", dict)
    name = of(tracking, "id", str)[:60] or source
    out.released = of(tracking, "current_release_date", str)[:10]
    found = of(document, "vulnerabilities", list)
    if not found:
        out.problems.append(f"{source}: {name} has no vulnerabilities")
        return out
    products = _products(of(document, "product_tree", dict))
    for number, vulnerability in enumerate(found[:MAX_RECORDS], start=1):
        cve = of(vulnerability, "cve", str)
        if not CVE.fullmatch(cve):
            ids = ", ".join(of(one, "text", str)[:60] for one in of(vulnerability, "ids", list)[:3])
            out.problems.append(f"{source}: {name}: vulnerability {number} has no CVE id{f' ({ids})' if ids else ''}")
            continue
        denied = _denied(vulnerability)
        out.problems += [f"{source}: {name}: {cve}: product {one[:60]!r} is said to be affected and not affected; it "
                         "answers disputed" for one in sorted(denied)[:20]]
        said = _said(vulnerability, products, denied)
        if not said:
            out.problems.append(f"{source}: {name}: {cve} names no product of the product tree")
        for vendor, entries in said.items():
            keep(out, source, vendor, entries, {
                "cve": cve, "cwe": _cwe(vulnerability), "cvss": _score(vulnerability), "cvss_source": f"CSAF {name}",
                "fixed": _fixed(vulnerability, products, vendor), "source": (f"CSAF {name}",),
                "note": " ".join(of(vulnerability, "title", str).split())[:200]})
    return out


def _products(tree: object) -> dict[str, _Product]:
    """Every product id with vendor, model and version; a relationship joins a version with what it is installed on."""
    products: dict[str, _Product] = {}
    _walk(of(tree, "branches", list), _Product(), products, 0)
    for loose in of(tree, "full_product_names", list)[:MAX_RECORDS]:
        products.setdefault(of(loose, "product_id", str), _Product(model=of(loose, "name", str)))
    for relation in of(tree, "relationships", list)[:MAX_RECORDS]:
        inner = products.get(of(relation, "product_reference", str))
        outer = products.get(of(relation, "relates_to_product_reference", str))
        joined = of(of(relation, "full_product_name", dict), "product_id", str)
        if joined and inner is not None and outer is not None:
            products[joined] = _Product(outer.vendor or inner.vendor, outer.model or inner.model,
                                        inner.version or outer.version)
    return products


def _walk(branches: Sequence[Any], above: _Product, products: dict[str, _Product], depth: int) -> None:
    if depth > MAX_DEPTH:
        return
    for branch in branches:
        category, name = of(branch, "category", str), of(branch, "name", str)
        here = _Product(name if category == "vendor" else above.vendor, name if category in _MODEL else above.model,
                        name if category in _VERSION else above.version)
        product = of(of(branch, "product", dict), "product_id", str)
        if product and len(products) < MAX_RECORDS:
            products[product] = here
        _walk(of(branch, "branches", list), here, products, depth + 1)


_AFFECTED = ("known_affected", "first_affected", "last_affected")
_NOT_AFFECTED = ("known_not_affected", "fixed", "first_fixed")


def _ids(vulnerability: object, *statuses: str) -> Iterator[str]:
    status = of(vulnerability, "product_status", dict)
    for key in statuses:
        yield from (one for one in of(status, key, list)[:MAX_RECORDS] if isinstance(one, str))


def _denied(vulnerability: object) -> set[str]:
    """Product ids that stand under a status of both kinds."""
    return set(_ids(vulnerability, *_AFFECTED)) & set(_ids(vulnerability, *_NOT_AFFECTED))


def _named(vulnerability: object, products: Mapping[str, _Product], *statuses: str) -> Iterator[_Product]:
    return (known for _, known in _known(vulnerability, products, *statuses))


def _known(vulnerability: object, products: Mapping[str, _Product], *statuses: str) -> Iterator[tuple[str, _Product]]:
    for product in _ids(vulnerability, *statuses):
        known = products.get(product)
        if known is not None and (known.vendor or known.model):
            yield product, known


def _said(vulnerability: object, products: Mapping[str, _Product], denied: set[str]) -> dict[str, list[Affected]]:
    said: dict[str, list[Affected]] = {}

    def say(product: _Product, entry: Affected) -> None:
        said.setdefault(" ".join(product.vendor.split()).casefold() or "unknown", []).append(entry)

    for name, product in _known(vulnerability, products, *_AFFECTED):
        models = scopes_of(product.model)
        say(product, affected_by("csaf", models, product.version, named=bool(models), contradicted=name in denied))
    for product in _named(vulnerability, products, "under_investigation"):
        models = scopes_of(product.model)
        say(product, affected_by("csaf", models, f"{product.version} (under investigation)", named=bool(models),
                                 bounds={}))
    for name, product in _known(vulnerability, products, "known_not_affected"):
        models = scopes_of(product.model)
        if models and not product.version and name not in denied:
            say(product, Affected(by="csaf", models=models, text="known not to be affected", cleared=True))
    return said


def _fixed(vulnerability: object, products: Mapping[str, _Product], vendor: str) -> str | None:
    """The fixed versions as the advisory lists them; else what its remedy of the vendor says, if it is short."""
    fixes = dict.fromkeys(product.version for product in _named(vulnerability, products, "first_fixed", "fixed")
                          if product.version and product.vendor.casefold() in ("", vendor))
    if fixes:
        return ", ".join(list(fixes)[:8])[:200]
    for remedy in of(vulnerability, "remediations", list):
        if of(remedy, "category", str) == "vendor_fix":
            told = " ".join(of(remedy, "details", str).split())
            return told[:200] or None
    return None


def _cwe(vulnerability: object) -> str | None:
    found = of(of(vulnerability, "cwe", dict), "id", str)
    return found if found.startswith("CWE-") and found[4:].isdecimal() and len(found) < 12 else None


def _score(vulnerability: object) -> float | None:
    for score in of(vulnerability, "scores", list):
        for key in ("cvss_v3", "cvss_v2"):
            value = of(score, key, dict).get("baseScore")
            if isinstance(value, int | float) and 0 <= value <= 10:
                return float(value)
    return None
