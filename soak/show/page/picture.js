// Which charts tell how a run goes? Lines, axes and bands chosen from the run's document.

import { draw, nearest, points } from "./charts.js";
import { change, digits, latency, moment, rate, share, size, whole } from "./figures.js";

const FAULTS = ["fault", "restart", "gap", "standstill", "crash", "abort"];

function line(trend, column, label, tone, format, more = {}) {
  const found = trend[column] ? points(trend.t_s, trend[column]) : [];
  return { label, tone, format, points: found, side: "left", dashed: false, ...more };
}

// The limit that a check sets to an operation's p99, where its name says so: `search-p99`.
function limits(run, operation) {
  const name = new RegExp(`^${operation}[-_ ]p99$`);
  return run.checks
    .filter((check) => name.test(check.name) && check.unit === "s" && check.threshold !== null)
    .map((check) => check.threshold);
}

function charts(run, operation) {
  const { trend } = run;
  return [
    {
      name: "latency",
      title: `Latency of ${operation.replaceAll("_", " ")}`,
      height: 170,
      lines: [
        line(trend, `${operation}_p99_s`, "p99", "p99", latency),
        line(trend, `${operation}_p50_s`, "p50", "p50", latency),
      ],
      left: { unit: "s", format: latency, logarithmic: true, bounds: limits(run, operation) },
    },
    {
      name: "memory",
      title: "Memory and records",
      height: 170,
      lines: [
        line(trend, "resident_bytes", "resident", "resident", size),
        line(trend, "anonymous_bytes", "anonymous", "anonymous", size),
        line(trend, "live_records", "live records", "records", whole, { side: "right" }),
      ],
      left: { unit: "bytes", format: size },
      right: { unit: "count", format: compact, fromZero: true },
    },
    {
      name: "throughput",
      title: "Operations per second",
      height: 100,
      lines: [
        line(trend, "offered_per_s", "asked for", "offered", rate, { dashed: true }),
        line(trend, "achieved_per_s", "done", "achieved", rate),
      ],
      left: { unit: "1/s", format: digits, fromZero: true },
    },
    {
      name: "quality",
      title: "Recall and health",
      height: 100,
      lines: [
        line(trend, "recall", "recall", "recall", share),
        line(trend, "score", "health", "health", share),
        line(trend, "health_ratio", "health, as reported", "health", share, { dashed: true }),
      ],
      left: { unit: "ratio", format: share, ceiling: 1 },
    },
  ].map((chart) => ({ ...chart, lines: chart.lines.filter((one) => one.points.length) }))
    .filter((chart) => chart.lines.length);
}

function compact(value) {
  return Math.abs(value) >= 10_000 ? `${digits(value / 1000)}k` : whole(value);
}

export function toneOf(event) {
  if (event.maintenance) return "maintenance";
  return FAULTS.includes(event.kind) ? "fault" : "notable";
}

function bands(run, hidden) {
  return run.events
    .filter((event) => event.kind !== "phase" && !hidden.has(event.kind))
    .map((event) => ({
      from: event.time_s,
      to: event.time_s + event.duration_s,
      source: event.source,
      tone: toneOf(event),
      label: `${event.kind} at ${moment(event.time_s)} for ${latency(event.duration_s)} (${event.source})`,
    }));
}

// Where phases began; of those before the first figure the last one, at the edge of the charts.
function passages(run, start) {
  const begun = run.events.filter(({ kind, phase }) => kind === "phase" && phase);
  const current = begun.findLast(({ time_s: time }) => time <= start);
  return begun.filter((event) => event.time_s > start || event === current)
    .map(({ time_s: time, phase: label }) => ({ time: Math.max(time, start), label }));
}

function summary(chart) {
  const parts = chart.lines.map((one) => {
    const values = one.points.map(([, value]) => value);
    const [first, last] = [values[0], values[values.length - 1]];
    return `${one.label} from ${one.format(first)} to ${one.format(last)}, ${change(first, last)}`;
  });
  return `${chart.title}: ${parts.join("; ")}`;
}

// The charts of a run below one another, with one reading line through all of them.
export class Picture {
  constructor(place, at) {
    this.place = place;
    this.at = at;
    this.hidden = new Set();
    this.drawn = [];
    this.time = null;
    place.addEventListener("pointermove", (event) => {
      if (this.drawn.length) this.read(this.drawn[0].marks.timeAt(event.clientX));
    });
    place.addEventListener("pointerleave", () => this.read(null));
    place.addEventListener("keydown", (event) => this.step(event));
    new ResizeObserver(() => this.redraw()).observe(place);
  }

  show(run, operation) {
    this.run = run;
    this.operation = operation;
    this.redraw();
  }

  redraw() {
    if (!this.run || !this.operation) return;
    const listed = charts(this.run, this.operation);
    const times = this.run.trend.t_s ?? [];
    const first = times[0] ?? 0;
    // A run's history begins at its start, unless what is left of it does not.
    const start = first < this.run.progress.elapsed_s * 0.05 ? 0 : first;
    const shared = {
      start,
      end: Math.max(this.run.progress.elapsed_s, times[times.length - 1] ?? 1),
      bands: bands(this.run, this.hidden),
      passages: passages(this.run, start),
    };
    this.start = shared.start;
    this.end = shared.end;
    const figures = listed.map((chart) => this.figure(chart));
    this.place.replaceChildren(...figures.map(({ figure }) => figure));
    this.drawn = listed.map((chart, i) => {
      const time = i === listed.length - 1 ? moment : null;
      const spec = { ...chart, ...shared, time, named: i === 0, summary: summary(chart) };
      return { chart, values: figures[i].values, marks: draw(figures[i].canvas, spec) };
    });
    this.read(this.time);
  }

  figure(chart) {
    const figure = document.createElement("figure");
    figure.dataset.chart = chart.name;
    const caption = document.createElement("figcaption");
    const title = document.createElement("b");
    title.textContent = chart.title;
    caption.append(title);
    const values = chart.lines.map((one) => {
      const item = document.createElement("span");
      item.className = `legend tone-${one.tone}`;
      const value = document.createElement("output");
      item.append(one.label, " ", value);
      caption.append(item);
      return value;
    });
    const canvas = document.createElement("div");
    figure.append(caption, canvas);
    return { figure, canvas, values };
  }

  // Show the figures of a time, or (null) the newest ones.
  read(time) {
    this.time = time;
    for (const { chart, values, marks } of this.drawn) {
      marks.mark(time);
      chart.lines.forEach((one, i) => {
        const newest = one.points[one.points.length - 1][1];
        values[i].textContent = one.format(time === null ? newest : nearest(one.points, time));
      });
    }
    this.at.textContent = time === null ? "" : `at ${moment(time)}`;
  }

  step(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key === "Escape") this.read(null);
    if (!(event.key in steps)) return;
    event.preventDefault();
    const moved = (this.time ?? this.end) + (steps[event.key] * (this.end - this.start)) / 100;
    this.read(Math.min(this.end, Math.max(this.start, moved)));
  }
}
