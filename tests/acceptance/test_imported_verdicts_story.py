"""A list that was imported speaks in every verdict on a device, is pinned by it, and travels in the bundle."""

from __future__ import annotations

import json

import pytest
from acceptance.recorded_site import replies
from acceptance.shell import Shell
from acceptance.story import Camvet

AXIS, REOLINK, DAHUA = "10.20.30.10", "10.20.30.13", "10.20.30.11"
EDITION = """id,name,aliases,country,programme,listed_on,removed_on,citation
1,Axis Communications AB,,SE,Entity List (EL) - Bureau of Industry and Security,2026-10-01,,91 FR 1
2,Zhejiang Dahua Technology Co. Ltd.,,CN,House rules of the group,2026-09-01,,rule 7
"""
NEXT_EDITION = """id,name,aliases,country,programme,listed_on,removed_on,citation
2,Zhejiang Dahua Technology Co. Ltd.,,CN,House rules of the group,2026-09-01,,rule 7
3,AXIS,,PA,Ships that nobody insures,2026-09-01,,rule 9
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    home = tmp_path_factory.mktemp("listed")
    (home / "replies.jsonl").write_text(replies())
    (home / "house.csv").write_text(EDITION)
    (home / "next.csv").write_text(NEXT_EDITION)
    with Shell(Camvet(home)) as run:
        assert "7 devices imported" in run("import", "replies.jsonl", "--policy", "contractor").out
        yield run, home


def told(done, key):
    assert done.code in {0, 1, 3}, done.err
    """The overall word, the effects by regime and the pinned lists by id, for one device."""
    device, = (one for one in done.json["devices"] if one["key"] == key)
    verdict = device["verdict"]
    return (verdict["overall"], {one["regime"]: one for one in verdict["effects"]},
            {one["id"]: one for one in verdict["lists"]})


def test_an_imported_list_decides_verdicts_and_stays_with_them(desk):
    run, _ = desk
    before = run("--json", "judge", "--as-of", "2026-11-22")
    overall, effects, lists = told(before, AXIS)
    assert overall == "legal"
    assert effects["US-BIS-EL"]["listed"] is False
    assert "import:house" not in lists

    assert run("keys", "init").code == 0
    assert run("lists", "sign", "--out", "plain.bundle").code == 0
    assert run("lists", "import", "house.csv", "--source", "house", "--dated", "2026-11-20").code == 0
    after = run("--json", "judge", "--as-of", "2026-11-22", "--keep")
    overall, effects, lists = told(after, AXIS)
    assert overall == "legal_red_flag"
    assert (effects["US-BIS-EL"]["listed"], effects["US-BIS-EL"]["unverified"]) == (True, True)
    assert "91 FR 1" in effects["US-BIS-EL"]["citation"]
    assert lists["import:house"]["dated"] == "2026-11-20"
    assert any("house" in one and "not used, now" in one for one in after.json["editions_differ"])

    eve = told(run("--json", "judge", "--as-of", "2026-09-30"), AXIS)
    assert eve[0] == "legal"
    assert eve[1]["US-BIS-EL"]["listed"] is False

    overall, effects, _ = told(after, DAHUA)
    assert effects["IMPORT-HOUSE-HOUSE-RULES-OF-THE-GROUP"]["effect"] == "review"
    assert told(after, REOLINK)[1].keys() == told(before, REOLINK)[1].keys()

    assert run("lists", "sign", "--out", "house.bundle").code == 0
    old = run("--json", "judge", "--as-of", "2026-11-22", "--lists", "plain.bundle")
    assert old.json["devices"] == before.json["devices"]
    assert any("house" in one and "now not used" in one for one in old.json["editions_differ"])


def test_it_is_told_in_report_and_table_and_the_old_answer_comes_back_from_its_bundle(desk):
    run, home = desk
    assert run("report", "--format", "json", "--out", "page.json").code == 0
    document = json.loads((home / "page.json").read_text())
    axis, = (one for one in document["devices"] if one["identity"]["maker"] == "axis")
    assert axis["verdict"]["overall"] == "legal_red_flag"
    assert any(one["id"] == "import:house" for one in document["lists"])
    assert run("report", "--out", "page.html").code == 0
    assert "91 FR 1" in (home / "page.html").read_text()
    table = run("--json", "what-if", "--buyer", "private_company", "--as-of", "2026-11-22").json
    row, = (one for one in table["devices"] if one["maker"] == "axis")
    assert row["effects"]["US-BIS-EL"] == "red_flag"
    assert "IMPORT-HOUSE-HOUSE-RULES-OF-THE-GROUP" in table["regimes"]
    assert any(one["id"] == "import:house" for one in table["lists"])

    then = run("--json", "judge", "--as-of", "2026-11-22").json["devices"]
    done = run("lists", "import", "next.csv", "--source", "house", "--dated", "2026-11-22")
    assert done.code == 0, done.err
    overall, effects, _ = told(run("--json", "judge", "--as-of", "2026-11-22"), AXIS)
    assert effects["US-BIS-EL"]["listed"] == "removed"
    assert effects["US-BIS-EL"]["removed_on"] == "2026-11-22"
    assert effects["IMPORT-HOUSE-PERHAPS-AXIS"]["effect"] == "review"          # a namesake is for a person to see
    assert overall == "review"
    again = run("--json", "judge", "--as-of", "2026-11-22", "--lists", "house.bundle")
    assert again.json["devices"] == then
    assert again.json["editions_differ"] == []


def test_imported_advisories_travel_in_the_bundle(desk):
    run, home = desk
    (home / "kev.json").write_text(json.dumps({
        "title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "2026.11.20",
        "dateReleased": "2026-11-20T10:00:00Z", "count": 1, "vulnerabilities": [
            {"cveID": "CVE-2021-36260", "vendorProject": "Hikvision", "product": "Security cameras",
             "vulnerabilityName": "n", "dateAdded": "2022-01-10", "shortDescription": "d", "requiredAction": "r",
             "dueDate": "2022-01-24", "knownRansomwareCampaignUse": "Unknown", "notes": ""}]}))
    assert run("advisories", "import", "kev.json", "--source", "kev").code == 0
    assert run("lists", "sign", "--out", "kev.bundle").code == 0
    used = told(run("--json", "judge", "--lists", "kev.bundle"), AXIS)[2]
    alone = told(run("--json", "judge", "--lists", "plain.bundle"), AXIS)[2]
    kept = {key for key in used if "kev" in key}
    assert kept
    assert not kept & alone.keys()

    other = Camvet(home / "elsewhere")
    other.home.mkdir()
    (other.home / "replies.jsonl").write_text(replies())
    with Shell(other) as there:
        there("import", "replies.jsonl")
        public = next(home.glob("**/keys/*.pub"))
        done = there("lists", "update", str(home / "kev.bundle"), "--key", str(public))
        assert done.code == 0, done.err
        pinned = told(there("--json", "judge"), AXIS)[2]
    assert kept <= pinned.keys()
    assert "import:house" in pinned
