"""What is thought of stored outputs: files of grades and of votes, apart from the runs, which never change.

A grade is what a grader found in one output; a similarity is a grade of tier Q2 that names another output. Both are
tied to the text by its hash, so that a grade of another text is none. A vote is one person's choice of two outputs.
"""

from collector.schema import columns

GRADES_FORMAT, VOTES_FORMAT = "llm-mac-512 grades", "llm-mac-512 votes"

GRADE = columns(
    "grade",
    ("run_id", "VARCHAR", "", "the run that holds the output"),
    ("op_index", "INTEGER", "", "its place among the run's operations"),
    ("prompt_id", "VARCHAR", "", "the prompt's name in its suite"),
    ("prompt_sha256", "VARCHAR", "", "hash of text, material and token limit"),
    ("text_sha256", "VARCHAR", "", "hash of reasoning and answer: a grade of another text does not count"),
    ("check_id", "VARCHAR", "", "what was asked: a Q0 grader, a check of the suite, or a measure of similarity"),
    ("tier", "VARCHAR", "", "Q0 validity, Q1 check, Q2 similarity"),
    (
        "outcome",
        "VARCHAR",
        "",
        "pass, partial, fail, unparsed, not run, agrees, differs; of a similarity: measured",
    ),
    ("share", "DOUBLE", "", "of the things asked for, those found; of a similarity, its value; 0 to 1"),
    ("detail", "VARCHAR", "", "in words; untrusted"),
    ("grader", "VARCHAR", "", "what graded: a file of collector/graders/, or similarity"),
    ("grader_version", "INTEGER", "", "its version"),
    ("check_sha256", "VARCHAR", "", "hash of what the suite declares for the check"),
    ("other_run_id", "VARCHAR", "", "tier Q2: the run that holds the output it was compared with"),
    ("other_op_index", "INTEGER", "", "tier Q2: its place there"),
    ("other_sha256", "VARCHAR", "", "tier Q2: hash of its text"),
    ("graded_at", "TIMESTAMP", "UTC", "when"),
)

CHOICES = ("a", "b", "tie", "both bad")
VOTE = columns(
    "vote",
    ("vote_id", "VARCHAR", "", "12 random hexadecimal digits"),
    ("voted_at", "TIMESTAMP", "UTC", "when"),
    ("voter", "VARCHAR", "", "random digits that stand for whoever votes on one machine; no name"),
    ("prompt_id", "VARCHAR", "", "the prompt's name in its suite"),
    ("prompt_sha256", "VARCHAR", "", "hash of text, material and token limit"),
    ("nonce", "VARCHAR", "", "six digits that both requests began with"),
    ("a_run_id", "VARCHAR", "", "the run that holds output A"),
    ("a_op_index", "INTEGER", "", "its place there"),
    ("a_sha256", "VARCHAR", "", "hash of its text"),
    ("b_run_id", "VARCHAR", "", "the run that holds output B"),
    ("b_op_index", "INTEGER", "", "its place there"),
    ("b_sha256", "VARCHAR", "", "hash of its text"),
    ("shown_first", "VARCHAR", "", "which of them stood first: a or b"),
    ("choice", "VARCHAR", "", " | ".join(CHOICES)),
)


Gradable = tuple[list[tuple[str, str, int]], list[tuple[str, str, str]]]


def gradable() -> Gradable:
    """What there is to grade with now: name, tier and version of each grader; grader, id and hash of each check."""
    from collector import graders, suite

    known = [(name, grader.TIER, grader.VERSION) for name, grader in graders.modules().items()]
    checks = {(check.grader, check.id, check.sha256) for prompt in suite.known().values() for check in prompt.checks}
    return known, sorted(checks)
