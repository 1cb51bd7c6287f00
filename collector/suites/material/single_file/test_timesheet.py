import io

import timesheet

DAY = """\
2026-03-02 08:00-12:30 alpha  # morning
2026-03-02 13:00-19:00 beta

2026-03-03 09:00-10:15 alpha
"""


def error_of(text):
    try:
        timesheet.check_overlaps(timesheet.parse(text))
    except timesheet.TimesheetError as error:
        return error
    return None


def test_entry():
    entry = timesheet.parse(DAY)[2]
    assert isinstance(entry, timesheet.Entry)
    assert (entry.line, str(entry.day), entry.project, entry.minutes) == (4, "2026-03-03", "alpha", 75)


def test_clock():
    assert timesheet.parse_clock("24:00") == 1440
    assert timesheet.format_minutes(605) == "10:05"


def test_errors():
    assert error_of(DAY) is None
    assert error_of("\n2026-03-02 9-10 alpha").line == 2
    assert str(error_of("2026-03-02 10:00-09:00 alpha")) == "line 1: ends before it starts"
    assert str(error_of(DAY + "2026-03-02 12:00-12:45 beta")) == "line 5: overlaps line 1"


def test_overtime():
    found = timesheet.overtime(timesheet.parse(DAY))
    assert {str(day): extra for day, extra in found.items()} == {"2026-03-02": 30}


def test_text():
    assert timesheet.render(timesheet.parse(DAY)).splitlines() == [
        "alpha          5:45",
        "beta           6:00",
        "total         11:45",
        "overtime 2026-03-02: 0:30",
    ]


def test_renderers_are_registered():
    assert sorted(timesheet.RENDERERS) == ["csv", "text"]


def test_main():
    target = io.StringIO()
    assert timesheet.main(["--form", "csv"], io.StringIO(DAY), target) == 0
    assert target.getvalue().splitlines()[:2] == ["day,project,minutes", "2026-03-02,alpha,270"]
