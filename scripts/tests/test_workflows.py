"""The workflows for the project's users: keys that there are, jobs that fit each other, commands that the runner takes."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from conftest import SCRIPTS
from lhvtool import cli

ROOT = Path(SCRIPTS).parent
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

TOP = {"name", "on", "permissions", "jobs", "env", "concurrency", "defaults"}
JOB = {"name", "needs", "if", "runs-on", "container", "timeout-minutes", "strategy", "steps", "env", "permissions"}
STEP = {"name", "if", "uses", "with", "run", "env", "id", "shell", "working-directory", "continue-on-error"}
INPUTS = {"actions/checkout": {"fetch-depth", "ref"}, "actions/upload-artifact": {"name", "path", "if-no-files-found"},
          "actions/download-artifact": {"name", "path", "pattern", "merge-multiple"}}


def load(path):
    """A workflow; YAML 1.1 takes the key `on` for true."""
    workflow = yaml.safe_load(path.read_text())
    workflow["on"] = workflow.pop(True)
    return workflow


def steps():
    return [(path, job, step) for path in FILES for job in load(path)["jobs"].values() for step in job["steps"]]


def test_there_is_one():
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_keys(path):
    workflow = load(path)
    assert set(workflow) <= TOP and {"name", "on", "jobs"} <= set(workflow)
    assert set(workflow["on"]) <= {"push", "pull_request", "workflow_dispatch", "schedule"}
    for name, job in workflow["jobs"].items():
        assert set(job) <= JOB and {"runs-on", "steps"} <= set(job), name
        assert set(job.get("strategy", {})) <= {"fail-fast", "matrix", "max-parallel"}
        needs = job.get("needs", [])
        assert set([needs] if isinstance(needs, str) else needs) <= set(workflow["jobs"]), name


def test_steps():
    for path, job, step in steps():
        assert set(step) <= STEP and ("run" in step) != ("uses" in step), step
        if "uses" in step:
            action, version = step["uses"].split("@")
            assert re.fullmatch(r"v\d+", version) and set(step.get("with", {})) <= INPUTS[action], step
        for name in re.findall(r"\$\{\{ matrix\.(\w+) \}\}", str(step)):
            assert name in job["strategy"]["matrix"], step


def test_every_target_of_make_is_there():
    makefile = (ROOT / "Makefile").read_text()
    targets_there = re.findall(r"^([a-z]+):", makefile, re.M) + re.search(r"^ARCHS\s*:= (.+)", makefile, re.M)[1].split()
    for _, _, step in steps():
        for targets in re.findall(r"^make (.+)$", step.get("run", ""), re.M):
            for target in targets.split():
                assert target in targets_there


def test_every_shard_is_run_once():
    sweeps = [(job, step["run"]) for _, job, step in steps() if "--shard" in step.get("run", "")]
    assert sweeps
    for job, run in sweeps:
        shards = job["strategy"]["matrix"]["shard"]
        assert shards == list(range(1, len(shards) + 1)) and f"--shard ${{{{ matrix.shard }}}}/{len(shards)}" in run


def test_the_runner_takes_every_command():
    for _, _, step in steps():
        for command in re.findall(r"^scripts/lhv (.+)$", step.get("run", ""), re.M):
            words = shlex.split(command.replace("${{ matrix.shard }}", "1"))
            cli.parser().parse_args(words)
