"""Federal business days: the days that holidays are kept on, and deadlines over them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.workdays import after, holidays, is_business_day


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 1, 1),
        date(2026, 1, 19),
        date(2026, 2, 16),
        date(2026, 5, 25),
        date(2026, 6, 19),
        date(2026, 7, 3),
        date(2026, 9, 7),
        date(2026, 10, 12),
        date(2026, 11, 11),
        date(2026, 11, 26),
        date(2026, 12, 25),
        date(2021, 12, 31),  # New Year's Day of 2022, a Saturday
        date(2023, 1, 2),
        date(2022, 6, 20),
        date(2022, 12, 26),
        date(2021, 6, 18),
    ],
)
def test_the_days_holidays_are_kept_on(day):
    assert not is_business_day(day)
    assert day in holidays(day.year)


@pytest.mark.parametrize("day", [date(2026, 11, 25), date(2026, 11, 27), date(2020, 6, 19), date(2026, 7, 6),
                                 date(2021, 1, 20),  # Inauguration Day: off around Washington alone
                                 date(2022, 1, 3)])  # New Year's Day of 2022 was kept in 2021
def test_days_like_any_other(day):
    assert is_business_day(day)


@pytest.mark.parametrize(
    ("day", "count", "due"),
    [
        (date(2026, 11, 24), 1, date(2026, 11, 25)),
        (date(2026, 11, 25), 1, date(2026, 11, 27)),  # over Thanksgiving
        (date(2026, 11, 27), 1, date(2026, 11, 30)),  # over a weekend
        (date(2026, 11, 22), 1, date(2026, 11, 23)),  # a Sunday
        (date(2026, 12, 23), 10, date(2027, 1, 8)),  # over Christmas and New Year
    ],
)
def test_deadlines(day, count, due):
    assert after(day, count) == due


@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)), st.integers(1, 30))
def test_a_deadline_is_a_business_day_with_as_many_between(day, count):
    due = after(day, count)
    assert is_business_day(due)
    between = sum(is_business_day(day + timedelta(days=n)) for n in range(1, (due - day).days + 1))
    assert between == count


@given(st.integers(1990, 2060))
def test_a_year_has_its_holidays(year):
    assert 9 <= len(holidays(year)) <= 12  # 9 where New Year was kept in the year before
    assert all(day.weekday() < 5 for day in holidays(year))
