"""Reads the result.json of runs that have ended, for reports and comparisons."""

import json
import os
from pathlib import Path

from . import known
from .problem import Problem
from .results import OUTCOMES, SCHEMA

FILE = "result.json"
HOW = "Results are made by `scripts/lhv run`, in build/run or where --out says."


def find(places):
    """The result.json files of folders, which are walked, and of files that are named, each once and in order.

    Error: Problem for a place that is not there, cannot be read, or has no results.
    """
    found = []
    for place in map(Path, places):
        if place.is_dir():
            inside = sorted(_walk(place))
            if not inside:
                raise Problem(f"There is no {FILE} in {place}. {HOW}")
            found += inside
        elif place.exists():
            found.append(place)
        else:
            raise Problem(f"{place} is not there. {HOW}")
    return list({path.resolve(): path for path in found}.values())


def one(place):
    """The result.json of one run. Error: Problem as find(), and for a folder that holds several."""
    direct = Path(place, FILE)
    if direct.is_file():
        return direct
    found = find([place])
    if len(found) > 1:
        raise Problem(f"{place} holds {len(found)} results. Name the folder of one run.")
    return found[0]


def load(path):
    """A result.json as a dict.

    Error: Problem where it cannot be read, is damaged, or is of another version.
    """
    try:
        data = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise Problem(f"{path} is damaged: it is not JSON. Make the run anew.") from None
    schema = data.get("schema", 0) if isinstance(data, dict) else None
    if schema != SCHEMA:
        what = f"is of version {schema}" if schema else "is of no version, as before version 1,"
        raise Problem(f"{path} {what} and this LHV reads version {SCHEMA}. Make the run anew, or read it with the LHV "
                      "that wrote it.")
    if (trouble := _trouble(data)):
        raise Problem(f"{path} is damaged: {trouble}. Make the run anew.")
    return data


def _trouble(data):
    """What of a result is not as it must be, in some words, or None."""
    for key, kind in (("rules", list), ("not_run", list), ("facts", dict), ("areas", dict), ("summary", dict),
                      ("doubts", list), ("boots", list)):
        if not isinstance(data.get(key), kind):
            return f"its {key} are not there"
    for key in ("verdict", "platform", "version", "model", "arch"):
        if not isinstance(data.get(key), str):
            return f"its {key} is not there"
    for area in data["areas"].values():
        if not isinstance(area, dict) or not isinstance(area.get("ticks"), int):
            return "one of its areas has no ticks"
    for rule in data["rules"]:
        if not isinstance(rule, dict) or not isinstance(rule.get("id"), str) or rule.get("outcome") not in OUTCOMES \
                or not isinstance(rule.get("diagnosis"), dict):
            return "one of its rules has no id, outcome or diagnosis"
    if not all(isinstance(rule, str) for rule in data["not_run"]):
        return "one of the rules that were not run has no id"
    return None


def described(result):
    """What a result is of, in words: platform, model, build, CPUs, options."""
    version = "" if result["version"] == "unknown" else f" {result['version']}"
    under = f" on {result['under']}" if result.get("under") else ""
    parts = [known.TITLES.get(result["platform"], result["platform"]) + version + under, result["model"], result["arch"], f"{result.get('cpus', '?')} CPUs",
             str(result.get("options", ""))]
    return ", ".join(part for part in parts if part and part != "unknown")


def _walk(folder):
    """The result.json files below a folder. Error: Problem where a folder cannot be read."""
    def refuse(error):
        raise Problem(f"{error.filename} cannot be read: {error.strerror}.")
    for where, _folders, files in os.walk(folder, onerror=refuse):
        if FILE in files:
            yield Path(where, FILE)
