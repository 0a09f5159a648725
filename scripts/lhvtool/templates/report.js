"use strict";
// The report's table. Its data stands in the page; nothing is loaded. All text goes in as text, never as HTML.

const { rules, areas, runs } = JSON.parse(document.getElementById("data").textContent);

// One letter for each outcome (see page.py): the word in a cell, and what it means.
const OUTCOMES = {
  f: ["FAILED", "failed"], h: ["HUNG", "hung"], d: ["DIED", "ended the machine"], l: ["LOST", "lost its result"],
  u: ["PASSED?", "passed, although a known issue says that it fails"], e: ["known", "failed as a known issue says"],
  p: ["pass", "passed"], s: ["skip", "skipped"], "-": ["·", "not run"], " ": ["", "not in that image"],
};
const BAD = "fhdlu", RAN = "fhdluep";
const VERDICTS = { pass: ["p", "PASS"], fail: ["f", "FAIL"], incomplete: ["d", "NO VERDICT"], nothing: ["s", "NOTHING CHECKED"],
                   refused: ["d", "REFUSED"], interrupted: ["d", "INTERRUPTED"] };

const $ = id => document.getElementById(id);
const shown = { chosen: new Set(), words: [], differs: false,
                opened: new Set(), shut: new Set() };   // areas: opened by hand, and shut by hand while a filter opens them
const matrix = $("matrix"), bodies = new Map(), rows = new Map();

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const style = letter => letter in OUTCOMES && letter.trim() && letter !== "-" ? letter : "n";
const areaOf = rule => rule.id.split(".")[0];
const title = run => `${run.platform}${run.version === "unknown" ? "" : " " + run.version}${run.under ? " on " + run.under : ""}`;

function short(ticks) {
  if (ticks >= 1e9) return (ticks / 1e9).toFixed(1) + " G";
  if (ticks >= 1e6) return (ticks / 1e6).toFixed(1) + " M";
  return Math.max(1, Math.round(ticks / 1e3)) + " k";
}

function count(indexes, run) {
  const found = {};
  for (const index of indexes) found[run.outcomes[index]] = (found[run.outcomes[index]] || 0) + 1;
  return found;
}

function spoken(found) {
  return Object.keys(OUTCOMES).filter(letter => found[letter]).map(letter => `${found[letter]} ${OUTCOMES[letter][1]}`).join(", ");
}

// What the ledger's columns are for an area: a rule is covered where a run has a result of it.
function coverage(indexes) {
  const total = { covered: 0, skipped: 0, none: 0 };
  for (const index of indexes) {
    const letters = runs.map(run => run.outcomes[index]);
    if (letters.some(letter => RAN.includes(letter))) total.covered++;
    else if (letters.includes("s")) total.skipped++;
    else total.none++;
  }
  return `${total.covered} of ${indexes.length} covered` + (total.skipped ? `, ${total.skipped} skipped` : "")
       + (total.none ? `, ${total.none} not run` : "");
}

function stack(indexes, run, ticks) {
  const found = count(indexes, run), bar = make("div", { class: "stack" });
  for (const letter of "pefhdlus") if (found[letter]) {
    const part = make("i", { class: letter });
    part.style.flex = found[letter];
    bar.append(part);
  }
  if (found["-"] || found[" "]) {
    const part = make("i", { class: "n" });
    part.style.flex = (found["-"] || 0) + (found[" "] || 0);
    bar.append(part);
  }
  const bad = [...BAD].reduce((sum, letter) => sum + (found[letter] || 0), 0);
  const ran = [...RAN].reduce((sum, letter) => sum + (found[letter] || 0), 0);
  const words = bad ? make("span", { class: "bad" }, `${bad} bad`) : make("span", {}, ran ? String(ran) : "–");
  return make("td", { title: `${spoken(found)}${ticks ? `; ${ticks.toLocaleString("en")} ticks` : ""}` },
              bar, make("small", {}, words, make("span", {}, ticks ? short(ticks) : "")));
}

function head() {
  const row = make("tr", {}, make("th", { scope: "col" }, "rule"));
  runs.forEach((run, number) => {
    const [letter, word] = VERDICTS[run.verdict] || ["s", run.verdict];
    const what = [run.model === "unknown" ? "" : run.model, run.arch, run.cpus === 1 ? "1 CPU" : run.cpus + " CPUs", run.options];
    const button = make("button", { "data-run": number, title: `What was run: ${what.filter(Boolean).join(", ")}` },
      make("b", {}, title(run)), make("span", { class: "what" }, what.filter(Boolean).join(", ")),
      make("span", { class: `badge ${letter}` }, word));
    button.addEventListener("click", () => showRun(number));
    row.append(make("th", { scope: "col", class: "run" }, button));
  });
  matrix.tHead.append(row);
}

function body() {
  const all = rules.map((_, index) => index);
  const total = make("tbody", { class: "total" });
  total.append(make("tr", { class: "area total" }, make("th", { scope: "row" },
    make("span", { class: "label" }, make("span", { class: "name" }, "all areas"), make("span", { class: "covered" }, coverage(all)))),
    ...runs.map(run => stack(all, run, run.ticks))));
  matrix.append(total);
  for (const area of areas) {
    area.indexes = all.filter(index => areaOf(rules[index]) === area.name);
    const button = make("button", { "aria-expanded": "false" }, make("span", { class: "name" }, area.name),
      make("span", { class: "chapter" }, area.chapter), make("span", { class: "covered" }, coverage(area.indexes)));
    const top = make("tr", { class: "area" }, make("th", { scope: "rowgroup" }, button),
                     ...runs.map(run => stack(area.indexes, run, run.areas[area.name])));
    button.addEventListener("click", () => {
      const set = filtering() ? shown.shut : shown.opened;
      if (!set.delete(area.name)) set.add(area.name);
      show();
    });
    const group = make("tbody", { "data-area": area.name }, top);
    bodies.set(area.name, { group, button, filled: false });
    matrix.append(group);
  }
}

// The rows of an area are made when it is opened for the first time: a thousand rules are quick then, too.
function fill(area) {
  const known = bodies.get(area.name);
  if (known.filled) return;
  known.filled = true;
  for (const index of area.indexes) {
    const rule = rules[index];
    const row = make("tr", { class: "rule", "data-rule": index },
                     make("th", { scope: "row" }, make("code", {}, rule.id), make("span", { title: rule.title }, rule.title)));
    runs.forEach((run, number) => {
      const letter = run.outcomes[index], [word, meaning] = OUTCOMES[letter];
      row.append(make("td", {}, make("div", { class: `cell ${style(letter)}`, role: "button", tabindex: "-1", "data-run": number,
        "aria-label": `${rule.id} on ${title(run)}: ${meaning}`, title: meaning }, word)));
    });
    rows.set(index, row);
    known.group.append(row);
  }
}

function fits(index) {
  const rule = rules[index], letters = runs.map(run => run.outcomes[index]);
  if (shown.chosen.size && !letters.some(letter => shown.chosen.has(letter))) return false;
  if (shown.differs && new Set(letters).size === 1) return false;
  const text = `${rule.id} ${rule.title} ${rule.sdm} ${rule.class}`.toLowerCase();
  return shown.words.every(word => text.includes(word));
}

const filtering = () => shown.chosen.size > 0 || shown.differs || shown.words.length > 0;

function show() {
  const filtered = filtering();
  let visible = 0, first = null;
  for (const area of areas) {
    const fitting = new Set(area.indexes.filter(fits)), { group, button } = bodies.get(area.name);
    const open = filtered ? !shown.shut.has(area.name) : shown.opened.has(area.name);
    group.hidden = !fitting.size;
    button.setAttribute("aria-expanded", open);
    if (open) fill(area);
    for (const index of area.indexes) {
      const row = rows.get(index);
      if (row) row.hidden = !open || !fitting.has(index);
      if (row && !row.hidden) first ??= row;
    }
    visible += fitting.size;
  }
  $("nothing").hidden = visible > 0;
  $("summary").textContent = `${runs.length} ${runs.length === 1 ? "run" : "runs"}, ${rules.length} rules`
    + (filtered ? `, ${visible} shown` : `; ${coverage(rules.map((_, index) => index))}`);
  for (const chip of $("chips").children) chip.setAttribute("aria-pressed", shown.chosen.has(chip.dataset.letter));
  $("differs").setAttribute("aria-pressed", shown.differs);
  matrix.querySelectorAll(".cell[tabindex='0']").forEach(cell => cell.tabIndex = -1);
  if (first) first.querySelector(".cell").tabIndex = 0;
}

function chips() {
  for (const [letter, [, meaning]] of Object.entries(OUTCOMES)) {
    if (letter === " ") continue;
    const rulesWith = rules.filter((_, index) => runs.some(run => run.outcomes[index] === letter)).length;
    if (!rulesWith) continue;
    const word = letter === "u" ? "unexpected pass" : letter === "e" ? "known issue" : letter === "-" ? "not run" : OUTCOMES[letter][1];
    const chip = make("button", { class: `chip ${style(letter)}`, "data-letter": letter, "aria-pressed": "false",
                                  title: `Only rules that ${meaning} in some run` }, `${word} `, make("b", {}, String(rulesWith)));
    chip.addEventListener("click", () => {
      if (!shown.chosen.delete(letter)) shown.chosen.add(letter);
      show();
    });
    $("chips").append(chip);
  }
}

// ---- The panel ----

function list(pairs) {
  const found = make("dl");
  for (const [name, value] of pairs)
    found.append(make("dt", {}, name), make("dd", { class: name === "expected" || name === "actual" ? name : null }, String(value)));
  return found;
}

function panel(...children) {
  const close = make("button", { class: "link x", "aria-label": "Close", title: "Close (Esc)" }, "×");
  close.addEventListener("click", hide);
  $("detail").replaceChildren(close, ...children);
  $("detail").hidden = false;
  $("detail").scrollTop = 0;
}

let opener = null;

function hide() {
  $("detail").hidden = true;
  matrix.querySelectorAll(".chosen").forEach(row => row.classList.remove("chosen"));
  history.replaceState(null, "", location.pathname + location.search);
  if (opener && opener.isConnected) opener.focus();
}

function command(text) {
  const button = make("button", { class: "link" }, "copy");
  button.addEventListener("click", () => navigator.clipboard?.writeText(text).then(() => { button.textContent = "copied"; }));
  return [make("h3", {}, "Repeat ", button), make("pre", { class: "wrap", id: "repeat" }, text)];
}

function showRule(index, number) {
  const rule = rules[index], run = runs[number], letter = run.outcomes[index], about = run.details[index] || {};
  const { title: _title, sdm, class: _class, outcome: _outcome, repeat: theirs, expected, actual, ...rest } = about.diagnosis || {};
  const parts = [make("h2", {}, rule.id), make("p", { class: "says" }, rule.title || _title || ""),
                 list([["SDM", rule.sdm || sdm || "not known here"], ["class", rule.class || _class || "not known here"]]),
                 make("h3", {}, `${title(run)}, ${run.model}, ${run.arch}`)];
  const found = [["outcome", OUTCOMES[letter][1]]];
  if (expected !== undefined) found.push(["expected", expected]);
  if (actual !== undefined) found.push(["actual", actual]);
  if (about.reason) found.push([letter === "e" ? "known issue" : "why", about.reason]);
  if (about.note) found.push(["note", about.note]);
  if (about.boot) found.push(["boot", about.boot]);
  parts.push(list([...found, ...Object.entries(rest)]));
  if (run.repeat || theirs) parts.push(...command(run.repeat ? run.repeat + rule.id : theirs));
  if (about.log) parts.push(make("h3", {}, "Serial log"), make("pre", { id: "log" }, about.log.join("\n")));
  const others = make("ul");
  runs.forEach((other, at) => {
    const button = make("button", {}, make("span", { class: `cell ${style(other.outcomes[index])}` }, OUTCOMES[other.outcomes[index]][0] || "–"),
                        `${title(other)}, ${other.model}, ${other.arch}`);
    button.addEventListener("click", () => { showRule(index, at); $("detail").focus(); });
    others.append(make("li", { "aria-current": at === number ? "true" : null }, button));
  });
  if (runs.length > 1) parts.push(make("h3", {}, "In all runs"), others);
  panel(...parts);
  matrix.querySelectorAll(".chosen").forEach(row => row.classList.remove("chosen"));
  rows.get(index)?.classList.add("chosen");
  history.replaceState(null, "", `#${number + 1}/${rule.id}`);
}

function showRun(number) {
  const run = runs[number], found = count(rules.map((_, index) => index), run);
  const facts = [["verdict", (VERDICTS[run.verdict] || ["", run.verdict])[1]], ["rules", spoken(found)], ["options", run.options || "none"],
                 ["kernel", run.kernel], ["boots", run.boots], ["ticks", run.ticks?.toLocaleString("en")],
                 ["seconds", run.seconds], ["folder", run.name], ...Object.entries(run.facts)];
  panel(make("h2", {}, `${title(run)}, ${run.model}, ${run.arch}`), ...run.trouble.map(text => make("p", {}, text)),
        list(facts.filter(([, value]) => value !== undefined && value !== null && value !== "")));
  opener = matrix.tHead.querySelector(`[data-run="${number}"]`);
}

// ---- Mouse and keys ----

matrix.addEventListener("click", event => {
  const cell = event.target.closest(".cell"), row = event.target.closest(".rule");
  if (!row) return;
  opener = cell || row.querySelector(".cell");
  showRule(Number(row.dataset.rule), Number(opener.dataset.run));
});

function visibleRows() {
  return [...matrix.querySelectorAll("tbody:not([hidden]) tr.rule:not([hidden])")];
}

function move(cell, down, across) {
  const list = visibleRows(), at = list.indexOf(cell.closest("tr")) + down;
  const row = list[Math.max(0, Math.min(list.length - 1, at))];
  const number = Math.max(0, Math.min(runs.length - 1, Number(cell.dataset.run) + across));
  const next = row.querySelectorAll(".cell")[number];
  matrix.querySelectorAll(".cell[tabindex='0']").forEach(one => one.tabIndex = -1);
  next.tabIndex = 0;
  next.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  if (!$("detail").hidden) { opener = next; showRule(Number(row.dataset.rule), number); }
}

const STEPS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [15, 0], PageUp: [-15, 0],
                Home: [-1e9, 0], End: [1e9, 0] };

document.addEventListener("keydown", event => {
  const cell = event.target.closest?.(".cell[role=button]");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    if (!$("detail").hidden) hide();
    else if (event.target === $("search")) { $("search").value = ""; search(); }
  } else if (event.key === "/" && event.target !== $("search")) {
    $("search").focus();
  } else if (event.key === "ArrowDown" && event.target === $("search")) {
    matrix.querySelector(".cell[tabindex='0']")?.focus();
  } else if (cell && STEPS[event.key]) {
    move(cell, ...STEPS[event.key]);
  } else if (cell && (event.key === "Enter" || event.key === " ")) {
    cell.click();
    $("detail").focus();
  } else {
    return;
  }
  event.preventDefault();
});

function search() {
  shown.words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  show();
}

$("search").addEventListener("input", search);
$("differs").addEventListener("click", () => { shown.differs = !shown.differs; show(); });
$("open").addEventListener("click", () => { areas.forEach(area => shown.opened.add(area.name)); shown.shut.clear(); show(); });
$("close").addEventListener("click", () => { shown.opened.clear(); areas.forEach(area => shown.shut.add(area.name)); show(); });
$("reset").addEventListener("click", () => { shown.chosen.clear(); shown.differs = false; $("search").value = ""; search(); });

head();
body();
chips();
if (runs.length < 2) $("differs").hidden = true;
show();
// the rows of the areas stick below the head; a pixel under it, so that nothing shines through between them
new ResizeObserver(() => document.documentElement.style.setProperty("--head-height",
  Math.floor(matrix.tHead.getBoundingClientRect().height) - 1 + "px")).observe(matrix.tHead);

const asked = /^#(\d+)\/(.+)$/.exec(decodeURIComponent(location.hash));
if (asked) {
  const index = rules.findIndex(rule => rule.id === asked[2]);
  if (index >= 0 && runs[asked[1] - 1]) {
    shown.opened.add(areaOf(rules[index]));
    show();
    rows.get(index).scrollIntoView({ block: "center" });
    showRule(index, asked[1] - 1);
  }
}
