"""Other scripts: a listed name is found wherever it stands, and not where two words meet or another one begins."""

from datetime import date

import pytest

from rules import catalog
from rules.names import read
from rules.screening import Action, screen
from rules.screening_runs import Runs

CATALOG = catalog.load()
DAY = date(2026, 11, 22)
RUNS = Runs(["海信", "中兴", "依图", "海康威视"], ["ハイテラ", "하이테라"], before=["上海"], after=["图纸"],
            others=["中兴路", "ハイテク"], known=frozenset({"カメラ", "无线", "科技"}))


@pytest.mark.parametrize(("line", "script", "runs"), [
    ("上海信息", "han", ("上海 信息",)), ("上海海信", "han", ("上海海信",)), ("依图纸加工", "han", ("依 图纸加工",)),
    ("依图科技", "han", ("依图科技",)), ("中兴路8号", "han", (" ", "号")), ("中兴路由器", "han", ("中兴 路由器",)),
    ("上海康威视", "han", ("上海康威视",)),                # a long name is not parted
    ("ハイテラス", "kana", ("ハイテ ラス",)), ("ハイテラカメラ", "kana", ("ハイテラカメラ",)),
    ("ハイテラの", "kana", ("ハイテラの",)), ("ハイテク", "kana", ("",)), ("하이테라피", "hangul", ("하이테 라피",)),
    ("하이테라의", "hangul", ("하이테라의",)),
])
def test_what_only_looks_like_a_name_is_parted(line, script, runs):
    assert RUNS.apart(read(line)).scripts[script] == runs


@pytest.mark.parametrize(("line", "name", "apart"), [
    ("依图", "依图", True), ("依图 生产", "依图", True), ("依图生产", "依图", False), ("依图科技", "依图", True),
    ("依图12", "依图", True), ("海康威视某某", "海康威视", True), ("ハイテラコッタ", "ハイテラ", False),
    ("ハイテラ・コッタ", "ハイテラ", True), ("海信, 依图的", "依图", True), ("无", "依图", True),
])
def test_whether_a_name_ends_where_a_word_ends(line, name, apart):
    assert RUNS.stands_apart(line, name) is apart


def test_nothing_to_look_for_changes_nothing():
    name = read("上海信息 ハイテラス")
    assert Runs([], [], before=[], after=[], others=[], known=frozenset()).apart(name) is name


@pytest.mark.parametrize("line", [
    "采购{}摄像机 5台", "上海{}科技有限公司", "{} 交换机", "供应商：{}", "{}路由器 3台", "我司采购{}产品",
])
def test_every_chinese_spelling_of_a_listed_party_is_found(line):
    for spelling, known in CATALOG.scripts["han"]:
        if known.kind == "name" and CATALOG.standing(known.party, DAY).word == "listed":
            assert screen(line.format(spelling), CATALOG, DAY).action is not Action.NO_MATCH, spelling


@pytest.mark.parametrize(("line", "action"), [
    ("华为昆仑酒店", "review"), ("讯飞扬传媒", "review"), ("讯飞录音笔", "match"), ("上海思科技术服务", "no_match"),
    ("Сяомин", "review"), ("Хиквижна", "match"), ("Диджитал Технолоджи", "no_match"), ("China Unicorn", "no_match"),
    ("Kasa Spot KC410S TP-Link", "match"), ("Legrand 412403", "no_match"), ("Grundig GD-CI-AC", "review"),
    ("Swann SWNVK-876804", "review"), ("LiFePO4 12V 100Ah", "no_match"), ("大華山 攝影展", "no_match"),
])
def test_the_words_around_decide(line, action):
    assert str(screen(line, CATALOG, DAY).action) == action
