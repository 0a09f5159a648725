"""The page, opened in a headless Chromium; the comparison of two results; what is wrong with results."""

import json
import tempfile

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from conftest import SCRIPTS
from lhvtool import known, page, recorded, run, saved
from lhvtool.catalogue import rules_by_id
from lhvtool.problem import Problem
from test_recorded import DATA

OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--window-size=1360,820")
ELF = SCRIPTS.parent / "build" / "amd64" / "lhv.elf"
EVIL = "</script><img src=x onerror=\"document.title='evil'\">"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with four results: a whole log as known, the same judged without known issues, one cut, one of evil texts."""
    evil = ("TAP version 14\n# LHV 0.1 amd64\n1..1\n# run exit.cpuid.reason\nnot ok 1 - exit.cpuid.reason\n"
            f"  ---\n  actual: {json.dumps(EVIL)}\n  ...\n# verdict: fail\n").encode()
    folder = tmp_path_factory.mktemp("results")
    rules = {name: rule for name, rule in rules_by_id(ELF).items() if b"# run %s\n" % name.encode() in DATA}
    for name, data, platform in (("1-known", DATA, ("bochs", "2.7")), ("2-other", DATA, ("virtualbox",)),
                                 ("3/cut", DATA[:8000], ()), ("4", evil, ())):
        (folder / name).mkdir(parents=True)
        report = recorded.report(recorded.Recorded("log", name, *platform), data, list(rules))
        report.conclude(known.covering(known.load(), report.platform, report.arch), rules)
        run.write_files(report, folder / name, recorded.repeater(report.options))
    return folder


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    with tempfile.TemporaryDirectory() as profile:
        for option in (*OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        yield driver
        driver.quit()


def visible(browser, selector):
    """The elements of the table that can be seen, by one question to the browser."""
    return browser.execute_script("return [...document.getElementById('matrix').querySelectorAll(arguments[0])]"
                                  ".filter(one => one.checkVisibility())", selector)


def cells(browser):
    return visible(browser, ".cell")


def shown_rules(browser):
    return browser.execute_script("return arguments[0].map(one => one.textContent)", visible(browser, ".rule code"))


def test_the_page_is_opened_filtered_and_clicked(lhv, results, tmp_path, browser):
    done = lhv("report", results, "-o", tmp_path / "report.html")
    assert done.status == 0 and "shows 4 runs" in done.out
    browser.get(f"file://{tmp_path / 'report.html'}")
    find = lambda css: browser.find_element(By.CSS_SELECTOR, css)

    heads = [head.text for head in browser.find_elements(By.CSS_SELECTOR, "thead .run")]
    assert [text.split("\n")[0] for text in heads] == ["Bochs 2.7", "VirtualBox", "Bochs", "a machine"]
    assert [text.split("\n")[-1] for text in heads] == ["PASS", "FAIL", "NO VERDICT", "FAIL"]
    assert "4 runs" in find("#summary").text and "covered" in find("#summary").text
    area = find("[data-area=vmxon] .area").text
    assert "31 VMX Instruction Reference" in area and "20 of 22 covered, 2 skipped" in area and "k" in area
    assert not cells(browser)                            # areas are closed

    find("[data-area=vmxon] button").click()
    assert len(shown_rules(browser)) == 22 and len(cells(browser)) == 4 * 22
    find("[data-area=vmxon] button").click()
    assert not cells(browser)

    find(".chip[data-letter=f]").click()                 # only rules that failed somewhere
    failed = shown_rules(browser)
    assert len(failed) == 8 and "ug.real.limit-gp" in failed and "vmxon.cr0-ne-clear-gp" not in failed
    find("#search").send_keys("IN 64-bit")
    assert shown_rules(browser) == ["invept.type-high-bits"]
    assert [cell.text for cell in cells(browser)] == ["known", "FAILED", "FAILED", "·"]

    cells(browser)[1].click()
    detail = find("#detail").text
    for words in ("In 64-bit mode INVEPT looks at all 64 bits of the type", "31.3 INVEPT", "must", "VMfailValid(28)", "succeeded",
                  "boot LHV with the options: tests=invept.type-high-bits", "not ok", "# run invept.type-high-bits"):
        assert words in detail, words
    browser.find_elements(By.CSS_SELECTOR, "#detail li button")[0].click()
    assert "known issue" in find("#detail").text and "bochs-invept-type-32-bits" in find("#detail").text
    assert browser.current_url.endswith("#1/invept.type-high-bits")
    find("#detail").send_keys(Keys.ESCAPE)
    assert not find("#detail").is_displayed()

    find("#search").clear()
    find("#search").send_keys("no such rule")
    assert not shown_rules(browser) and find("#nothing").is_displayed()
    find("#reset").click()
    assert not find("#nothing").is_displayed()
    find("#differs").click()
    assert "invept.type-high-bits" in shown_rules(browser)
    find("#differs").click()

    assert not browser.get_log("browser")                # no error, and nothing that the page was refused
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_the_page_by_keys_and_by_link(lhv, results, tmp_path, browser):
    lhv("report", results, "-o", tmp_path / "report.html")
    browser.get(f"file://{tmp_path / 'report.html'}#2/ug.real.limit-gp")
    assert "ug.real.limit-gp" in browser.find_element(By.ID, "detail").text
    keys = lambda *some: browser.switch_to.active_element.send_keys(*some)
    keys(Keys.ESCAPE)
    keys("/")
    keys("vmxon", Keys.ARROW_DOWN)
    label = lambda: browser.switch_to.active_element.get_attribute("aria-label")
    first = shown_rules(browser)[0]
    assert label().startswith(f"{first} on Bochs 2.7: ")
    keys(Keys.ARROW_RIGHT)
    keys(Keys.ARROW_DOWN)
    assert label().startswith(f"{shown_rules(browser)[1]} on VirtualBox")
    keys(Keys.ENTER)
    assert shown_rules(browser)[1] in browser.find_element(By.ID, "detail").text
    keys(Keys.ESCAPE)
    assert label().startswith(f"{shown_rules(browser)[1]} on VirtualBox")


def test_texts_of_a_platform_are_text(lhv, results, tmp_path, browser):
    lhv("report", results / "4", "-o", tmp_path / "report.html")
    browser.get(f"file://{tmp_path / 'report.html'}#1/exit.cpuid.reason")
    assert EVIL in browser.find_element(By.CSS_SELECTOR, "#detail .actual").text
    assert browser.title == "LHV report"


def test_a_thousand_rules_of_eight_runs_are_quick(results, tmp_path, browser):
    one = saved.load(results / "1-known" / "result.json")
    rules = [{**rule, "id": f"{rule['id']}-{copy}"} for copy in range(9) for rule in one["rules"]]
    (tmp_path / "big.html").write_text(page.document([(str(run), {**one, "rules": rules}) for run in range(8)]))
    browser.get(f"file://{tmp_path / 'big.html'}")
    took = browser.execute_script("const begin = performance.now(); document.getElementById('open').click();"
                                  "document.body.getBoundingClientRect(); return performance.now() - begin")
    assert len(rules) > 1000 and took < 5000             # 0.3 s where nothing else runs


def test_many_runs_leave_the_rules_their_column(results, tmp_path, browser):
    one = saved.load(results / "1-known" / "result.json")
    (tmp_path / "wide.html").write_text(page.document([(str(run), one) for run in range(30)]))
    browser.get(f"file://{tmp_path / 'wide.html'}")
    assert browser.execute_script("return document.querySelector('thead th').getBoundingClientRect().width") > 300


def test_a_comparison(lhv, results):
    done = lhv("diff", results / "1-known", results / "1-known" / "result.json")
    assert done.status == 0 and "same 112 results and facts" in done.out
    done = lhv("diff", results / "1-known", results / "3")
    assert done.status == 1
    assert "ug.real.ud-vmxoff" in done.out and "lost" in done.out and "Rules with a result only in A: 27" in done.out
    assert "verdict" in done.out and "incomplete" in done.out and "\x1b" not in done.out


def altered(results, folder, changes):
    """One result with other values, in a folder."""
    folder.mkdir()
    one = json.loads((results / "1-known" / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps({**one, **changes}))
    return folder


@pytest.mark.parametrize("changes, words", [
    ({"schema": 99}, "is of version 99 and this LHV reads version 1"), ({"schema": None}, "is of no version"),
    ({"rules": 3}, "its rules are not there"), ({"rules": [{"id": "a"}]}, "no id, outcome or diagnosis"),
    ({"rules": [{"id": "a", "outcome": "odd", "diagnosis": {}}]}, "no id, outcome or diagnosis"),
    ({"areas": {"a": 1}}, "no ticks"), ({"arch": None}, "its arch is not there"), ({"not_run": [1]}, "has no id")])
def test_results_that_cannot_be_used(lhv, results, tmp_path, changes, words):
    folder = altered(results, tmp_path / "altered", changes)
    for command in (["report", folder, "-o", tmp_path / "x.html"], ["diff", results / "1-known", folder]):
        done = lhv(*command)
        assert done.status == 2 and words in done.err and "Traceback" not in done.err
    assert not (tmp_path / "x.html").exists()


def test_folders_that_cannot_be_used(lhv, results, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "noise.json").write_bytes(b"\x00{[" * 99)
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "folder.json").mkdir()
    for place, words in (("empty", "There is no result.json in"), ("none", "is not there"), ("noise.json", "is not JSON"),
                         ("list.json", "is of no version")):
        for command in (["report", "-o", tmp_path / "x.html", results, tmp_path / place], ["diff", results / "4", tmp_path / place]):
            done = lhv(*command)
            assert done.status == 2 and words in done.err and "Traceback" not in done.err, done
    done = lhv("diff", results, results / "4")
    assert done.status == 2 and "holds 4 results" in done.err
    done = lhv("report", results, "-o", tmp_path / "none" / "x.html")
    assert done.status == 2 and "cannot be written" in done.err


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    (tmp_path / "result.json").write_text("{}")

    def refuse(_path):
        raise PermissionError(13, "Permission denied")
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(Problem, match="result.json cannot be read: Permission denied"):
        saved.load(tmp_path / "result.json")


def test_the_chapters_are_those_of_the_page_on_the_sdm():
    text = (saved.Path(__file__).parents[2] / "docs" / "sdm.md").read_text()
    for number, title in page.CHAPTERS.items():
        assert f"| {number} | {title}" in text or number == "A" and title in text
