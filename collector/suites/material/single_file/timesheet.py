"""Timesheet: reads work entries from text, checks them, reports the hours.

A line is `2026-03-02 09:00-12:30 project`; `#` starts a comment.
"""

import argparse
import sys
from dataclasses import dataclass
from datetime import date

DAILY_LIMIT = 600  # minutes
RENDERERS = {}


class TimesheetError(ValueError):
    def __init__(self, line, reason):
        super().__init__(f"line {line}: {reason}")
        self.line = line


@dataclass(frozen=True)
class Entry:
    line: int
    day: date
    start: int
    end: int
    project: str

    @property
    def minutes(self):
        return self.end - self.start


def parse_clock(text):
    """Minutes since midnight."""
    hours, minutes = (int(part) for part in text.split(":"))
    total = hours * 60 + minutes
    if not (0 <= minutes < 60 and 0 <= total <= 24 * 60):
        raise ValueError(f"no such time: {text}")
    return total


def parse_line(number, text):
    try:
        day, span, project = text.split()
        start, end = (parse_clock(part) for part in span.split("-"))
        entry = Entry(number, date.fromisoformat(day), start, end, project)
    except ValueError as error:
        raise TimesheetError(number, f"can't read {text!r}") from error
    if entry.minutes <= 0:
        raise TimesheetError(number, "ends before it starts")
    return entry


def parse(text):
    entries = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.partition("#")[0].strip()
        if line:
            entries.append(parse_line(number, line))
    return entries


def check_overlaps(entries):
    ordered = sorted(entries, key=lambda entry: (entry.day, entry.start))
    for before, after in zip(ordered, ordered[1:]):
        if before.day == after.day and after.start < before.end:
            raise TimesheetError(after.line, f"overlaps line {before.line}")


def totals_by(entries, key):
    totals = {}
    for entry in entries:
        totals[key(entry)] = totals.get(key(entry), 0) + entry.minutes
    return dict(sorted(totals.items()))


def overtime(entries):
    """Minutes above the limit, for the days that have any."""
    days = totals_by(entries, lambda entry: entry.day)
    return {day: total - DAILY_LIMIT for day, total in days.items() if total > DAILY_LIMIT}


def format_minutes(minutes):
    return f"{minutes // 60}:{minutes % 60:02}"


def renderer(name):
    def register(function):
        RENDERERS[name] = function
        return function

    return register


@renderer("text")
def render_text(entries):
    projects = totals_by(entries, lambda entry: entry.project)
    lines = [f"{name:<12}{format_minutes(total):>7}" for name, total in projects.items()]
    lines.append(f"{'total':<12}{format_minutes(sum(projects.values())):>7}")
    lines += [f"overtime {day}: {format_minutes(extra)}" for day, extra in overtime(entries).items()]
    return "\n".join(lines)


@renderer("csv")
def render_csv(entries):
    lines = ["day,project,minutes"]
    lines += [f"{entry.day},{entry.project},{entry.minutes}" for entry in entries]
    return "\n".join(lines)


def render(entries, form="text"):
    return RENDERERS[form](entries)


def main(arguments=None, source=None, target=None):
    parser = argparse.ArgumentParser(prog="timesheet")
    parser.add_argument("--form", choices=sorted(RENDERERS), default="text")
    options = parser.parse_args(arguments)
    try:
        entries = parse((source or sys.stdin).read())
        check_overlaps(entries)
    except TimesheetError as error:
        print(f"timesheet: {error}", file=sys.stderr)
        return 1
    print(render(entries, options.form), file=target or sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
