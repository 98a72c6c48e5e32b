"""Order files come back as they were, with columns beside: a workbook's looks, a CSV's dialect."""

import io

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font, PatternFill

from camvet.context import UsageError
from camvet.sheets import read_sheet, write_beside

COLUMNS = ("camvet_action", "camvet_because")


def book():
    made = Workbook()
    table = made.active
    table.title = "Order"
    table.append(["Item", "Qty", "Sum"])
    table.append(["Dahua camera", 3, "=B2*2"])
    table.append([None, None, None])
    table.append(["Axis camera", 1, "=B4*2"])
    table["A1"].font = Font(bold=True)
    table["C1"].font = Font(bold=True, italic=True)
    table["A2"].fill = PatternFill("solid", fgColor="FFEEAA")
    table.column_dimensions["A"].width = 44
    table.freeze_panes = "A2"
    made.create_sheet("Terms")["B7"] = "net 30"
    return made


@pytest.fixture
def workbook(tmp_path):
    path = tmp_path / "order.xlsx"
    book().save(path)
    return path


def test_a_workbook_keeps_its_looks_formulas_and_other_sheets(workbook, tmp_path):
    sheet = read_sheet(workbook, "Item")
    write_beside(tmp_path / "done.xlsx", sheet, COLUMNS, [("match", "named"), ("no_match", "=1+1")])
    done = load_workbook(tmp_path / "done.xlsx")
    table = done["Order"]
    assert done.sheetnames == ["Order", "Terms"]
    assert done["Terms"]["B7"].value == "net 30"
    assert table.column_dimensions["A"].width == 44
    assert table.freeze_panes == "A2"
    assert table["A2"].fill.fgColor.rgb == "00FFEEAA"
    assert (table["C2"].value, table["C2"].data_type) == ("=B2*2", "f")
    assert [table[f"{column}1"].value for column in "ABCDE"] == ["Item", "Qty", "Sum", *COLUMNS]
    assert table["D1"].font.italic
    assert [table[f"D{row}"].value for row in (2, 3, 4)] == ["match", None, "no_match"]
    assert (table["E4"].value, table["E4"].data_type) == ("=1+1", "s")


def test_an_answer_with_characters_no_workbook_holds(workbook, tmp_path):
    sheet = read_sheet(workbook, "Item")
    write_beside(tmp_path / "done.xlsx", sheet, COLUMNS, [("a\x00b", "x" * 40_000), ("", "")])
    table = load_workbook(tmp_path / "done.xlsx").active
    assert table["D2"].value == "ab"
    assert len(table["E2"].value) == 32_767


@pytest.mark.parametrize(
    ("data", "begin"),
    [
        (b"Item;Qty\r\nDahua;2\r\n", b"Item;Qty;camvet_action;camvet_because\r\nDahua;2;match;"),
        (b"Item\tQty\nDahua\t2\n", b"Item\tQty\tcamvet_action\tcamvet_because\nDahua\t2\tmatch\t"),
        (b'"Item","Qty"\n"Dahua","2"\n', b'"Item","Qty","camvet_action","camvet_because"\n"Dahua","2","match"'),
        (b"\xef\xbb\xbfItem,Qty\nDahua,2\n", b"\xef\xbb\xbfItem,Qty,camvet_action"),
        ("Item,Qty\nDahua,2\n".encode("utf-16"), b"\xff\xfeI\x00t\x00e\x00m\x00"),
        (b"Item|Qty\nDahua|2\n", b"Item|Qty|camvet_action"),
    ],
)
def test_a_csv_keeps_its_dialect(tmp_path, data, begin):
    (tmp_path / "order.csv").write_bytes(data)
    write_beside(tmp_path / "done.csv", read_sheet(tmp_path / "order.csv", "Item"), COLUMNS, [("match", "named, so")])
    assert (tmp_path / "done.csv").read_bytes().startswith(begin)


def test_a_csv_of_an_old_code_page_is_read_and_written_as_one(tmp_path):
    path = tmp_path / "order.csv"
    path.write_bytes("Gerät;Menge\nÜberwachungskamera;2\n".encode("cp1252"))
    with pytest.raises(UsageError, match="UTF-8 text"):
        read_sheet(path, "Gerät")
    with pytest.raises(UsageError, match="a known encoding"):
        read_sheet(path, "Gerät", "klingon")
    write_beside(path, read_sheet(path, "Gerät", "cp1252"), COLUMNS, [("review", "\u5927\u534e")])
    assert path.read_bytes().decode("cp1252") == (
        "Gerät;Menge;camvet_action;camvet_because\nÜberwachungskamera;2;review;\\u5927\\u534e\n")


def test_a_csv_becomes_a_workbook_by_its_suffix_and_the_other_way_round(workbook, tmp_path):
    (tmp_path / "order.csv").write_text("Item\n=1+1\n")
    write_beside(tmp_path / "done.xlsx", read_sheet(tmp_path / "order.csv", None), COLUMNS, [("no_match", "")])
    cell = load_workbook(tmp_path / "done.xlsx").active["A2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")
    write_beside(tmp_path / "done.csv", read_sheet(workbook, "Item"), COLUMNS, [("match", ""), ("no_match", "")])
    lines = io.StringIO((tmp_path / "done.csv").read_text(encoding="utf-8-sig")).read().splitlines()
    assert lines[0] == "Item,Qty,Sum,camvet_action,camvet_because"


ABOVE = [["Order 2026-11, for the site at Example Street, Springfield"], [], ["=HYPERLINK(1)", "4711"]]
ORDER = [["Nr", "Item", "Qty"], ["1", "Dahua camera", "3"], ["2", "Axis camera", "1"]]


def under_a_title(path, delimiter=";", *, merged=True):
    if path.suffix == ".xlsx":
        made = Workbook()
        for row in (*ABOVE, *ORDER):
            made.active.append(row)
        if merged:
            made.active.merge_cells("A1:F1")
        made.save(path)
    else:
        text = "\n".join(delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row)
                         for row in (*ABOVE, *ORDER))
        path.write_text(text + "\n")
    return path


@pytest.mark.parametrize("column", ["Item", " item ", None])
@pytest.mark.parametrize(("name", "how"), [("o.xlsx", {}), ("o.xlsx", {"merged": False}), ("o.csv", {}),
                                           ("o.csv", {"delimiter": ","}), ("o.csv", {"delimiter": "\t"})])
def test_headings_below_a_title_are_found_and_what_stands_above_is_kept(tmp_path, name, how, column):
    sheet = read_sheet(under_a_title(tmp_path / name, **how), column)
    assert (sheet.header, sheet.column, sheet.head) == (("Nr", "Item", "Qty"), 1, 4)
    assert [(number, row[1]) for number, row in sheet.rows] == [(5, "Dahua camera"), (6, "Axis camera")]
    assert "the headings are in row 4" in sheet.remarks[0]
    assert any("screened by the column 'Item'" in remark for remark in sheet.remarks) == (column is None)
    write_beside(tmp_path / f"done-{name}", sheet, COLUMNS, [("match", "named"), ("no_match", "")])
    if name == "o.xlsx":
        table = load_workbook(tmp_path / "done-o.xlsx").active
        assert table["A1"].value == ABOVE[0][0]
        assert [table[f"{at}4"].value for at in "CDE"] == ["Qty", *COLUMNS]
        assert [table[f"D{row}"].value for row in range(1, 7)] == [None, None, None, COLUMNS[0], "match", "no_match"]
    else:
        by = how.get("delimiter", ";")
        lines = (tmp_path / "done-o.csv").read_text().splitlines()
        assert ABOVE[0][0] in lines[0]
        assert lines[1:3] == ["", f"'=HYPERLINK(1){by}4711"]
        assert [line.split(by) for line in lines[3:5]] == [["Nr", "Item", "Qty", *COLUMNS],
                                                           ["1", "Dahua camera", "3", "match", "named"]]


def test_a_list_of_one_column_loses_no_line_but_to_the_heading_asked_for(tmp_path):
    path = tmp_path / "order.csv"
    path.write_text("Cameras\nDahua\nItem\nAxis\n")
    assert [row for _, row in read_sheet(path, None).rows] == [("Dahua",), ("Item",), ("Axis",)]
    assert [row for _, row in read_sheet(path, "Item").rows] == [("Axis",)]


@pytest.mark.parametrize("text", ["Item,Qty\nDahua;Item,1\n", "\n\nItem,Qty\nDahua|Item,1\n"])
def test_headings_that_stand_first_are_the_headings(tmp_path, text):
    path = tmp_path / "order.csv"
    path.write_text(text)
    sheet = read_sheet(path, "Item")
    assert (sheet.header, len(sheet.rows), sheet.above, sheet.remarks) == (("Item", "Qty"), 1, (), ())


@pytest.mark.parametrize(("text", "column", "told"), [
    ("Item,Qty\nDahua,1\n", "dahua", "expected one of Item, Qty"),               # a cell of the order is no heading
    ("Item,Qty\nAxis,1\n7,1\n", "7", "expected one of Item, Qty"),
    ("Title\n" * 20 + "Item,Qty\nDahua,1\n", "Item", "expected 1 cells as in the first row"),
    ("Title\nItem,Qty\nDahua\n", "Item", "row 3: expected 2 cells as in the heading row"),
    ("Item,Description\nDahua,dome\n", None, "--column, one of Item, Description"),       # two could be meant
    ("Description,Manufacturer\ndome,Dahua\n", None, "--column, one of"),        # the maker would go unread
    ("Item,Camera\n1,Dahua\n2,Axis\n", None, "--column, one of"),               # Item is a number here
    ("Kit,Qty\nDahua,1\n", None, "--column, one of Kit, Qty"),
])
def test_what_is_to_be_screened_is_never_guessed(tmp_path, text, column, told):
    path = tmp_path / "order.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=told):
        read_sheet(path, column)


def test_answers_never_fall_into_a_merged_cell(tmp_path):
    made = book()
    made.active.merge_cells("A3:F3")
    made.save(tmp_path / "order.xlsx")
    sheet = read_sheet(tmp_path / "order.xlsx", "Item")
    write_beside(tmp_path / "done.xlsx", sheet, COLUMNS, [("match", "")] * len(sheet.rows))
    assert load_workbook(tmp_path / "done.xlsx").active["G2"].value == "match"
