"""What the pages say against the image: option bits, known issues, options of the runner."""

import fnmatch
import re
import subprocess
from pathlib import Path

import yaml

from conftest import SCRIPTS, catalogue

ROOT = Path(SCRIPTS).parent


def test_readme_has_every_option_bit_under_its_name():
    table = dict(re.findall(r"^\| (0x[0-9a-f]+) \| ([A-Z0-9_]+) \|", (ROOT / "README.md").read_text(), re.M))
    header = (ROOT / "lhv-kernel/harness/options.h").read_text()
    bits = {f"{1 << int(bit):#x}": name for name, bit in re.findall(r"X\((\w+), (\d+),", header)}
    assert table == bits


def test_every_known_issue_is_documented_and_names_rules_of_the_image():
    pages = (ROOT / "docs/known-issues.md").read_text()
    ids = [rule["id"] for rule in catalogue()]
    for issue in yaml.safe_load((SCRIPTS / "known-issues.yaml").read_text()):
        assert f"### {issue['id']}\n" in pages, issue["id"]
        assert issue["evidence"] == f"docs/known-issues.md#{issue['id']}"
        globs = issue["rules"] if isinstance(issue["rules"], list) else [issue["rules"]]
        for glob in globs:
            assert fnmatch.filter(ids, glob), f"{issue['id']} names {glob}, which fits no rule"


def test_ids_are_unique_and_of_the_form_area_subject_rule():
    ids = [rule["id"] for rule in catalogue()]
    assert len(ids) == len(set(ids))
    assert not [one for one in ids if not re.fullmatch(r"[a-z0-9]+(\.[a-z0-9-]+)+", one)]


def test_the_three_builds_have_the_same_rules():
    assert catalogue("list", "--arch", "pae") == catalogue("list", "--arch", "i386") == catalogue()


def test_readme_names_every_option_of_run():
    text = (ROOT / "README.md").read_text()
    options = subprocess.run([SCRIPTS / "lhv", "run", "--help"], capture_output=True, text=True).stdout
    for option in set(re.findall(r"--[a-z]+", options)) - {"--help", "--append", "--build"}:
        assert f"{option} " in text or f"{option}]" in text, option
