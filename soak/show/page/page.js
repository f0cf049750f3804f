// What does a person see of a run? Asks for the run every two seconds and says it in words.

import { change, digits, inUnit, latency, moment, rate, share, size, span, whole } from "./figures.js";
import { Picture, toneOf } from "./picture.js";

const EVERY_MS = 2000;
const ROWS_OF_EVENTS = 20;
const WORDS = { pass: "PASS", fail: "FAIL", unknown: "UNKNOWN" };
const ORDER = { fail: 0, unknown: 1, pass: 2 };
const UNDER_WAY = ["starting", "running", "stopping"];

const byId = (id) => document.getElementById(id);
const picture = new Picture(byId("charts"), byId("at"));
let chosen = null;
let run = null;

function say(id, text) {
  const place = byId(id);
  if (place.textContent !== text) place.textContent = text;
}

function make(tag, text = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function strip() {
  const { verdict, progress, health, certificate } = run;
  const soFar = UNDER_WAY.includes(run.state) ? " so far" : "";
  byId("strip").dataset.status = verdict.status;
  say("verdict", WORDS[verdict.status] + soFar);
  say("reason", verdict.reason);
  byId("reason").title = verdict.reason;
  say("scenario", run.scenario);
  say("target", run.target);
  say("state", run.state === "running" ? "" : `· ${run.state}`);
  const { phase, phase_index: index, phases } = progress;
  say("phase", `phase ${phase} (${index + 1} of ${phases.length})`);
  say("elapsed", `${span(progress.elapsed_s)} of ${span(progress.planned_s)}`);
  const left = Math.max(0, progress.planned_s - progress.elapsed_s);
  const ends = new Date(Date.now() + left * 1000);
  const at = ends.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  say("left", soFar && run.state !== "stopping" ? `${span(left)} left, until ${at}` : "");
  const done = byId("phases");
  done.replaceChildren(make("i"));
  done.firstChild.style.width = `${(progress.ratio ?? 0) * 100}%`;
  say("health", share(health.last));
  const worst = health.components[health.worst_component];
  const beside = worst < 0.995 ? [`worst: ${health.worst_component} ${share(worst)}`] : [];
  if (health.reported !== null) beside.push(`it reports ${share(health.reported)}`);
  say("worst", beside.join(" · "));
  byId("trusted").dataset.status = certificate.trusted ? "pass" : "fail";
  say("trusted", certificate.trusted ? "trusted" : "NOT trusted");
  say("distrust", certificate.reasons.join("; "));
  document.title = `${WORDS[verdict.status]} · ${run.scenario} on ${run.target} · soak`;
}

// The operation the story is told with: search, else the one most time went into.
function leading() {
  const spent = ([, row]) => row.count * (row.service_s.mean ?? 0);
  const measured = Object.entries(run.operations).filter(([, row]) => row.count);
  measured.sort((a, b) => spent(b) - spent(a));
  const name = measured.some(([each]) => each === "search") ? "search" : measured[0]?.[0];
  return name ?? Object.keys(run.operations)[0] ?? null;
}

function tiles() {
  const name = leading();
  const { certificate, resources, records, recall, oracle } = run;
  const memory = resources.anonymous_bytes ?? {};
  const broken = sum(Object.values(oracle.violations));
  const failed = sum(Object.values(run.operations).map(({ outcomes }) => outcomes.error + outcomes.timeout));
  const count = sum(Object.values(run.operations).map((row) => row.count));
  const perRecord = records.live ? memory.last / records.live : null;
  const shown = [
    ["done", rate(certificate.achieved_rate), `of ${rate(certificate.offered_rate)} asked for`],
    [name ? `p99 ${name}` : "p99", latency(name && run.operations[name].recent_s.p99), "last 5 min"],
    ["memory", size(memory.last), `${change(memory.first, memory.last)} since the start`],
    ["live records", whole(records.live), `${size(perRecord)} of memory each`],
    ["recall", share(recall.last), `at ${recall.k}; ${share(recall.first)} at first`],
    ["failed operations", whole(failed), `${share(count ? failed / count : null)} of ${whole(count)}`, failed && "warn"],
    ["wrong answers", whole(broken), `${whole(oracle.checked)} checked`, broken && "bad"],
  ];
  byId("tiles").replaceChildren(...shown.map(([label, figure, note, tone]) => {
    const tile = make("div", "", tone ? `tile ${tone}` : "tile");
    tile.append(make("span", label, "label"), make("b", figure), make("span", note, "note"));
    return tile;
  }));
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

function hangs() {
  const { hang } = run;
  byId("lost").hidden = !hang;
  if (hang) say("lost", `${hang.operation} has not come back for ${span(hang.age_s)}`);
}

function checks() {
  const sorted = [...run.checks].sort((a, b) => ORDER[a.status] - ORDER[b.status]);
  byId("checks").replaceChildren(...sorted.map((check) => {
    const row = make("li");
    row.dataset.status = check.status;
    const name = make("div", "", "name");
    name.append(make("span", WORDS[check.status], "chip"), make("b", check.name));
    if (check.effect !== null && check.threshold !== null) {
      const [is, bound] = [check.effect, check.threshold].map((value) => inUnit(value, check.unit));
      name.append(make("span", `${is} / ${bound}`, "effect"));
    }
    const since = check.since_s === null ? "" : ` · since ${moment(check.since_s)}`;
    row.append(name, make("div", check.reason + since, "why"));
    return row;
  }), ...run.skipped.map(({ name, reason }) => {
    const row = make("li", "", "skipped");
    const head = make("div", "", "name");
    head.append(make("span", "SKIPPED", "chip"), make("b", name));
    row.append(head, make("div", reason, "why"));
    return row;
  }));
}

function facts(id, rows) {
  byId(id).replaceChildren(...rows.flatMap(([term, value, bad]) => [
    make("dt", term), make("dd", value, bad ? "bad" : ""),
  ]));
}

function certificate() {
  const held = run.certificate;
  const failures = sum(Object.values(held.sampler_failures));
  const blind = Object.entries(run.samplers).filter(([, works]) => !works).map(([name]) => name);
  facts("certificate", [
    ["lateness p50 / p99", `${latency(held.lateness_s.p50)} / ${latency(held.lateness_s.p99)}`],
    ["worst hiccup", latency(held.hiccup_s.max)],
    ["results lost", whole(held.dropped_results), held.dropped_results > 0],
    ["tester's memory", size(held.tester_rss_bytes)],
    ["tester's processor", share(held.tester_cpu_ratio)],
    ["stolen / waiting", `${share(held.host_steal_ratio)} / ${share(held.host_pressure_ratio)}`],
    ["clock steps", latency(held.clock_step_s)],
    ["failed readings", blind.length ? `${whole(failures)} (now: ${blind.join(", ")})` : whole(failures), blind.length],
  ]);
}

function answers() {
  const { oracle, recall, eviction } = run;
  const broken = Object.entries(oracle.violations).filter(([, count]) => count > 0);
  facts("answers", [
    ["checked", whole(oracle.checked)],
    ...(broken.length ? broken : [["broken promises", 0]]).map(([kind, n]) => [kind.replaceAll("_", " "), whole(n), n > 0]),
    [`recall at ${recall.k}`, `${share(recall.last)} (mean ${share(recall.mean)}, ${whole(recall.samples)} probes)`],
    ["forgot the wrong ones", share(eviction.inversion_ratio)],
    ...run.errors.map(({ operation, type, count }) => [`${operation}: ${type}`, whole(count), true]),
  ]);
}

function table(id, heads, rows, empty) {
  const head = make("tr");
  head.append(...heads.map((text) => make("th", text)));
  const body = rows.map(({ cells, tone }) => {
    const row = make("tr", "", tone ? `tone-${tone}` : "");
    row.append(...cells.map((text) => make("td", text)));
    return row;
  });
  if (!body.length) {
    const none = make("td", empty, "faint");
    none.colSpan = heads.length;
    body.push(make("tr"));
    body[0].append(none);
  }
  byId(id).replaceChildren(head, ...body);
}

function operations() {
  const heads = [
    "operation", "count", "failed", "wrong", "missing", "p50", "p95", "p99", "p99.9", "max",
    "service p99", "p99 last 5 min", "p99 worst 5 min",
  ];
  const rows = Object.entries(run.operations).map(([name, row]) => {
    const { outcomes, latency_s: held, service_s: service } = row;
    const durations = [held.p50, held.p95, held.p99, held.p999, held.max, service.p99, row.recent_s.p99, row.worst_s.p99];
    const counts = [row.count, outcomes.error + outcomes.timeout, outcomes.wrong, outcomes.missing];
    return { cells: [name.replaceAll("_", " "), ...counts.map(whole), ...durations.map(latency)] };
  });
  table("operations", heads, rows, "none yet");
}

function maintenance() {
  const held = run.maintenance;
  const rows = held.events.slice(-ROWS_OF_EVENTS).reverse().map((event) => ({
    tone: "maintenance",
    cells: [
      moment(event.time_s), event.kind, event.source, latency(event.duration_s), whole(event.records),
      size(event.bytes_reclaimed), latency(event.longest_pause_s),
    ],
  }));
  const heads = ["at", "kind", "source", "took", "records", "gave back", "longest pause"];
  table("maintenance", heads, rows, "none yet");
  const seen = `${whole(held.declared)} declared, ${whole(held.detected)} detected`;
  const agree = held.precision === null ? "" : `, precision ${share(held.precision)}, recall ${share(held.recall)}`;
  say("agreement", seen + agree);
}

function events() {
  const known = new Set(["time_s", "wall_time", "kind", "source", "duration_s"]);
  const others = run.events.filter((event) => !event.maintenance).slice(-ROWS_OF_EVENTS).reverse();
  table("events", ["at", "kind", "details"], others.map((event) => {
    const details = Object.entries(event).filter(([name]) => !known.has(name));
    const text = details.map(([name, value]) => `${name} ${typeof value === "number" ? digits(value) : value}`);
    return { tone: toneOf(event), cells: [moment(event.time_s), event.kind.replaceAll("_", " "), text.join(", ")] };
  }), "none yet");
}

function kinds() {
  const present = new Map(run.events.filter(({ kind }) => kind !== "phase").map((event) => [event.kind, toneOf(event)]));
  const place = byId("kinds");
  if (place.dataset.kinds === [...present.keys()].join()) return;
  place.dataset.kinds = [...present.keys()].join();
  place.replaceChildren(...[...present].map(([kind, tone]) => {
    const button = make("button", kind.replaceAll("_", " "), `kind tone-${tone}`);
    button.type = "button";
    button.setAttribute("aria-pressed", String(!picture.hidden.has(kind)));
    button.addEventListener("click", () => {
      const isHidden = picture.hidden.delete(kind) ? false : picture.hidden.add(kind).has(kind);
      button.setAttribute("aria-pressed", String(!isHidden));
      picture.redraw();
    });
    return button;
  }));
}

function choose() {
  const names = Object.keys(run.operations);
  const select = byId("operation");
  if ([...select.options].map(({ value }) => value).join() !== names.join()) {
    select.replaceChildren(...names.map((name) => new Option(name.replaceAll("_", " "), name)));
  }
  select.value = names.includes(chosen) ? chosen : leading();
}

function show() {
  for (const part of [strip, hangs, tiles, checks, certificate, answers, operations, maintenance, events, kinds, choose]) part();
  picture.show(run, byId("operation").value);
  say("run", `${run.run_id} · seed ${run.seed} · soak ${run.version} · started ${run.started.slice(0, 19).replace("T", " ")} UTC`);
  say("updated", `as of ${moment(run.progress.elapsed_s)}`);
  document.body.dataset.shown = run.run_id;
}

async function poll() {
  if (!document.hidden) {
    try {
      const answer = await fetch("api/run");
      if (!answer.ok) throw new Error(`the tester answers ${answer.status}`);
      run = await answer.json();
      document.body.classList.remove("stale");
      show();
    } catch (error) {
      document.body.classList.add("stale");
      byId("lost").hidden = false;
      const since = run ? ` These figures are of ${moment(run.progress.elapsed_s)}.` : "";
      say("lost", `No answer from the tester (${error.message}): it has ended, or cannot be reached.${since}`);
    }
  }
  setTimeout(poll, EVERY_MS);
}

byId("operation").addEventListener("change", (event) => {
  chosen = event.target.value;
  if (run) show();
});
poll();
