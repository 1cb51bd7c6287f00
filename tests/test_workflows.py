"""GitHub's workflows: valid, pinned, with no more rights than needed; what they publish is what is built here."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.schema import CLONE, Results
from tests import planted

FOLDER = CLONE / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
LATEST = "-latest"
# as scripts/setup makes it
STAMP = 'echo "$(cksum pyproject.toml requirements.lock scripts/setup | cksum) $(pwd -P)"'


def workflow(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return read


JOBS = [(path.name, name, job) for path in FILES for name, job in workflow(path.name)["jobs"].items()]
STEPS = [(file, name, step) for file, name, job in JOBS for step in job["steps"]]


def test_actionlint_finds_nothing() -> None:
    actionlint = shutil.which("actionlint", path=f"{CLONE / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert actionlint, "actionlint is missing; it comes with the extra `test`"
    done = subprocess.run([actionlint, "-no-color", *map(str, FILES)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it() -> None:
    lines = [line for path in FILES for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert len(lines) > 5
    wrong = [line for line in lines if not re.search(r"uses: actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)]
    assert wrong == []
    pins: dict[str, set[str]] = {}
    for line in lines:
        action, _, pin = line.partition("uses: ")[2].partition("@")
        pins.setdefault(action, set()).add(pin)
    assert {action: pin for action, pin in pins.items() if len(pin) > 1} == {}


@pytest.mark.parametrize(("file", "name", "job"), JOBS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_job_says_its_rights_and_its_limit(file: str, name: str, job: dict[str, Any]) -> None:
    assert workflow(file)["permissions"] == {}
    assert 0 < job["timeout-minutes"] <= 120
    assert job["permissions"], name
    writes = {right for right, kind in job["permissions"].items() if kind == "write"}
    assert writes == ({"pages", "id-token"} if name == "publish" else set())
    images = [one["image"] for one in job.get("strategy", {}).get("matrix", {}).get("include", [])]
    assert images or "matrix." not in job["runs-on"]
    assert [image for image in (job["runs-on"], *images) if LATEST in image] == [], "an image that changes by itself"


def test_macs_of_every_version_are_set_up_tested_and_probed() -> None:
    """macOS 15, 26 and 27, which is named after its Xcode; with the oldest Python that is allowed, and the newest."""
    job = workflow("site.yml")["jobs"]["mac"]
    matrix = job["strategy"]["matrix"]["include"]
    assert [one["image"] for one in matrix] == ["macos-15", "macos-26", "xcode-27"]
    project = tomllib.loads((CLONE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    low, high = (int(minor) for minor in re.findall(r"3\.(\d+)", project["requires-python"]))
    assert {f"3.{low}", f"3.{high - 1}"} <= {one["python"] for one in matrix}
    assert job["strategy"]["fail-fast"] is False
    commands = "\n".join(step.get("run", "") for step in job["steps"])
    for command in ("scripts/demo --no-serve", "collect check --probe", "scripts/test", "Documents/我的 clone"):
        assert command in commands
    [kept] = [step["with"] for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
    assert "${{ matrix.image }}" in kept["name"], "two of one name are refused"
    assert kept["path"].split() == ["probe.txt", "tests/probes/darwin-*.json"]


def test_pull_requests_see_no_secret_and_are_not_run_with_rights() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert "secrets." not in text
        assert "pull_request_target" not in text
        assert "workflow_run" not in text
    site = workflow("site.yml")
    assert site["jobs"]["build"]["if"] == "github.ref == 'refs/heads/main'"
    assert site["jobs"]["publish"]["needs"] == ["test", "build"]


def test_no_checkout_keeps_its_token_and_no_command_holds_words_of_a_pull_request() -> None:
    checkouts = [step for _, _, step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) > 3
    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []
    assert [step["run"] for _, _, step in STEPS if "${{" in step.get("run", "")] == []


def test_runs_are_reviewed_by_the_code_of_main_alone() -> None:
    steps = workflow("runs.yml")["jobs"]["review"]["steps"]
    base, theirs = steps[0]["with"], steps[1]["with"]
    assert base["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert (theirs["path"], theirs["sparse-checkout"]) == ("proposed", "results")
    commands = [step["run"] for step in steps if "run" in step]
    assert commands[0] == "scripts/validate proposed/results", (
        "new is what the base, which is HEAD there, does not hold"
    )
    assert commands[1].startswith("scripts/review-runs proposed/results ")
    assert [command for command in commands if re.search(r"\bproposed/(?!results\b)", command)] == []


def test_workflows_call_scripts_that_are_there() -> None:
    called = {word for _, _, step in STEPS for word in re.findall(r"(?:scripts|\.ci)/[\w-]+", step.get("run", ""))}
    assert {
        "scripts/build",
        "scripts/test",
        "scripts/demo",
        "scripts/review-runs",
        "scripts/validate",
        "scripts/audit",
        ".ci/run",
    } <= called
    assert [name for name in called if not os.access(CLONE / name, os.X_OK)] == []


def test_only_one_deployment_runs_at_a_time() -> None:
    publish = workflow("site.yml")["jobs"]["publish"]
    assert publish["concurrency"] == {"group": "pages", "cancel-in-progress": False}
    assert publish["environment"]["name"] == "github-pages"


# ---------------------------------------------------------------- the same bytes


def copied(folder: Path) -> Path:
    """This clone as a runner checks it out, with the environment that is here."""
    for name in ("collector", "site_src", "scripts"):
        shutil.copytree(CLONE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("mkdocs.yml", "pyproject.toml", "requirements.lock"):
        shutil.copy(CLONE / name, folder)
    (folder / ".venv").mkdir()  # with a stamp of its own, so that nothing is installed into the one that is here
    for path in (CLONE / ".venv").resolve().iterdir():
        if path.name != ".stamp":
            (folder / ".venv" / path.name).symlink_to(path)
    stamp = subprocess.run(["bash", "-c", STAMP], cwd=folder, capture_output=True, text=True, check=True).stdout
    (folder / ".venv" / ".stamp").write_text(stamp)
    (folder / "results").mkdir()
    for table in (CLONE / "results").glob("*.csv"):
        shutil.copy(table, folder / "results")
    planted.written(Results(folder / "results"), *planted.everything()[:2])
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_deployed_is_what_scripts_build_makes(tmp_path: Path) -> None:
    """The job's own commands, the archive as upload-pages-artifact makes it, without hidden files; and MkDocs' hook."""
    steps = workflow("site.yml")["jobs"]["build"]["steps"]
    [build] = [step for step in steps if "run" in step]
    [upload] = [
        step["with"]["path"] for step in steps if step.get("uses", "").startswith("actions/upload-pages-artifact")
    ]
    address = "https://someone.github.io/their-mac"
    # The day of a build stands in the sitemap; two builds around midnight would differ.
    environment = {name: value for name, value in os.environ.items() if name != "LLM_RESULTS"}
    environment |= {"SOURCE_DATE_EPOCH": "1764000000", "SITE_URL": address}
    clone = copied(tmp_path / "clone")
    environment |= {"PYTHONPATH": str(clone), "PATH": f"{clone / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    for path in sorted((clone / "results" / "runs").glob("*.parquet"))[4:]:
        path.unlink()  # a few say as much, sooner
    made = []
    for command in dict.fromkeys((build["run"], "mkdocs build --strict", "scripts/build")):
        done = subprocess.run(
            ["bash", "-e", "-c", command], cwd=clone, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        site = clone / "site"
        archive = tmp_path / f"{len(made)}.tar"
        excluded = ["--exclude=.git", "--exclude=.github", "--exclude=.[^/]*"]
        tar = [
            "tar",
            "--dereference",
            "--hard-dereference",
            "--directory",
            str(clone / upload),
            "-cf",
            str(archive),
            *excluded,
            ".",
        ]
        subprocess.run(tar, check=True)
        unpacked = tmp_path / f"{len(made)}"
        unpacked.mkdir()
        subprocess.run(["tar", "--directory", str(unpacked), "-xf", str(archive)], check=True)
        assert contents(unpacked) == contents(site), "a hidden file would not be published"
        made.append(contents(unpacked))
        site.rename(tmp_path / f"site-{len(made)}")
    for other in made[1:]:
        assert made[0].keys() == other.keys()
        assert [name for name in other if made[0][name] != other[name]] == []
    front = made[0]["index.html"].decode()
    assert f'href="{address}/"' in front
    assert f'href="{address}/zh/"' in made[0]["zh/index.html"].decode()
    assert f"{address}/feed.xml" in made[0]["feed.xml"].decode()
