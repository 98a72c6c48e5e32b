"""What is checked, as a document for readers: ``python -m rules.check_pages > docs/checks.md``.

It is made from the data alone, so it can never say anything else than the rules do; a test holds it fresh.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rules import advisories, checks, standards
from rules.checks import Check
from rules.predicates import PREDICATES
from rules.vocabulary import Severity, Status

__all__ = ["document"]

_HEAD = """# What is checked

Made from `rules/data` by `python -m rules.check_pages > docs/checks.md`; edit the data, not this file.

A check ends in `pass`, `fail`, `not_assessed` or `not_applicable`. Nothing here sends anything: checks read
what the safe probes brought. Control ids in *italics* were not held against the text of their standard.

Some looks are made only where somebody asks for them:

| option of `camvet sweep` | what is sent | check |
|---|---|---|
| `--credentials REF` | the owner's login, once a device; last, a WS-UsernameToken that was taken is shown once more \
| `onvif.replayable_token` |
| `--check-default-credentials` | the one login that the maker documents for an identified model, one try a device \
a day over one protocol; nothing where anything speaks of a lock, where attempts are counted, where the device waits \
for its first password or refused a login before. Needs `--owner`, `--ticket` and `--yes-i-am-authorised`; the event \
log names who, which device and which pair, never the login | `login.factory_default` |
| `--check-snmp-public` | one SNMP read of sysDescr with the community `public`, in v2c and, met with silence, in v1 \
| `snmp.public` |
| `--check-port-mappings` | a router's own list of opened ports, entry by entry; it is never changed \
| `upnp.opened_port` |

One finding is made over others: `recorder.weak_channels` sums up what is wrong with the cameras a recorder lists."""


def document() -> str:
    """The whole document, as it stands in ``docs/checks.md``."""
    return "\n".join([*_checks(), *_standards(), *_advisories()]) + "\n"


def _checks() -> Iterator[str]:
    found = sorted(checks.load(), key=lambda check: (list(Severity).index(check.severity), check.id))
    yield from (_HEAD, "", f"## {len(found)} checks", "",
                "| check | severity | what it finds | needs |", "|---|---|---|---|")
    for check in found:
        needs = ", ".join(need.probe + (f" {need.port}" if need.port else "") for need in check.needs) or "-"
        yield f"| [`{check.id}`](#{check.id.replace('.', '')}) | {check.severity} | {check.title} | {needs} |"
    for check in found:
        yield from _one(check)


def _one(check: Check) -> Iterator[str]:
    limits = ", only says whether something could be assessed" if check.cannot_fail else ""
    limits += ", optional: where it is not assessed, that decides nothing" if check.optional else ""
    yield from ("", f"### {check.id}", "",
                f"**{check.title}.** Version {check.version} of {check.dated}, severity {check.severity}{limits}.", "")
    yield f"- For: {', '.join(check.applies_to)}" + (f"; made by {', '.join(check.makers)}" if check.makers else "")
    yield f"- Fails: {_condition(check)}"
    closed = f"; a closed port is `{check.when_closed}`" if check.needs else ""
    silent = f"; silence is `{check.when_silent}`" if check.when_silent else ""
    yield f"- Needs: {', '.join(f'`{n.probe}`' for n in check.needs) or 'nothing'}{closed}{silent}"
    yield f"- Do: {check.remedy}"
    for status in (Status.FAIL, Status.PASS, Status.NOT_ASSESSED, Status.NOT_APPLICABLE):
        names = [example.name for example in check.tests if example.expect is status]
        if names:
            yield f"- Example of `{status}`: {'; '.join(names)}"
    if check.standards:
        yield "- Controls: " + "; ".join(
            f"{name} {', '.join(f'*{i}*' if name in check.unverified else i for i in ids)}"
            for name, ids in check.standards.items())
    yield f"- Source: {check.source}"


def _condition(check: Check) -> str:
    if not isinstance(check.fails, str):
        see = check.fails
        return f"`{see.transport}` says `{see.field}` is {' or '.join(see.equals)}"
    return " ".join((PREDICATES[check.fails].__doc__ or check.fails).split("\n\n")[0].split())


def _standards() -> Iterator[str]:
    spoken = {(name, control) for check in checks.load() for name, ids in check.standards.items() for control in ids}
    yield from ("", "## Standards", "",
                "| standard | edition | controls | with a check | ids verified |", "|---|---|---|---|---|")
    for standard in standards.load().values():
        served = sum((standard.standard, control) in spoken for control in standard.controls)
        verified = "no" if standard.unverified else "yes"
        yield (f"| {standard.name} (`{standard.standard}`) | {standard.edition} | {len(standard.controls)} | {served} "
               f"| {verified} |")


def _advisories() -> Iterator[str]:
    book = advisories.load()
    records = [record for file in book.files.values() for record in file.records]
    exploited, doubtful = sum(r.kev is not None for r in records), sum(r.unverified for r in records)
    total = (f"{len(records)} advisories of {len(book.files)} makers and components, {exploited} of them known "
             f"exploited, {doubtful} unverified. How versions are compared stands in `docs/advisories.md`.")
    yield from ("", "## Advisories", "", total, "",
                "| maker | form | advisories | known exploited |", "|---|---|---|---|")
    for slug, file in book.files.items():
        listed = [record.cve for record in file.records if record.kev is not None]
        yield f"| {slug} | {file.grammar} | {len(file.records)} | {', '.join(listed) or '-'} |"


if __name__ == "__main__":
    sys.stdout.write(document())
