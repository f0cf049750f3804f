// How do lines become a picture? One SVG per chart, all on one time axis, events as bands.

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { left: 62, right: 62, top: 13, bottom: 6 };
const AXIS_HEIGHT = 20;
const TIME_STEPS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400];

function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
}

// Points of a line: nulls are left out. Window figures are null between windows, so a gap is only
// what is much longer than the line's usual step.
export function points(times, values) {
  const found = [];
  for (let i = 0; i < times.length; i += 1) {
    if (values[i] !== null && values[i] !== undefined) found.push([times[i], values[i]]);
  }
  return found;
}

function usualStep(found) {
  const steps = found.slice(1).map(([t], i) => t - found[i][0]).sort((a, b) => a - b);
  return steps.length ? steps[Math.floor(steps.length / 2)] : 0;
}

function path(found, x, y) {
  const longest = usualStep(found) * 4;
  let text = "";
  let before = -Infinity;
  for (const [t, value] of found) {
    text += `${t - before > longest ? "M" : "L"}${x(t).toFixed(1)},${y(value).toFixed(1)}`;
    before = t;
  }
  return text;
}

// The value of a line at a time: its nearest point, null where none is near.
export function nearest(found, time) {
  let best = null;
  for (const point of found) {
    if (best === null || Math.abs(point[0] - time) < Math.abs(best[0] - time)) best = point;
  }
  return best && Math.abs(best[0] - time) <= usualStep(found) * 4 + 1e-9 ? best[1] : null;
}

function roundSteps(low, high, count) {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-6; tick += step) ticks.push(tick);
  return ticks;
}

// Bytes round in powers of two, or the labels read 190.7 MiB.
function ticksOf(low, high, unit, count) {
  if (unit !== "bytes") return roundSteps(low, high, count);
  const scale = 1024 ** Math.max(0, Math.floor(Math.log(high || 1) / Math.log(1024)));
  return roundSteps(low / scale, high / scale, count).map((tick) => tick * scale);
}

function logTicks(low, high) {
  const every = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const m of [1, 2, 5]) every.push(m * 10 ** power);
  }
  const inside = every.filter((tick) => tick >= low && tick <= high);
  return inside.length > 5 ? inside.filter((tick) => /^1/.test(tick.toExponential())) : inside;
}

// The range of an axis and its ticks; lines: those that are drawn on it.
function scale(lines, { unit, fromZero, logarithmic, bounds = [], ceiling }, height) {
  const values = lines.flatMap((line) => line.points.map(([, value]) => value)).concat(bounds);
  const known = logarithmic ? values.filter((value) => value > 0) : values;
  if (!known.length) return null;
  let low = Math.min(...known);
  let high = Math.max(...known);
  const room = height - MARGIN.top - MARGIN.bottom;
  const place = (share) => height - MARGIN.bottom - share * room;
  if (logarithmic) {
    low /= 1.2;
    high *= 1.2;
    const width = Math.log(high / low);
    return { ticks: logTicks(low, high), y: (v) => place(Math.log(Math.max(v, low) / low) / width) };
  }
  const pad = (high - low || Math.abs(high) * 0.1 || 1) * 0.12;
  low = fromZero ? 0 : Math.max(low - pad, low >= 0 ? 0 : -Infinity);
  high = ceiling === undefined ? high + pad : Math.min(high + pad, ceiling);
  if (high <= low) low = high - 1;
  return {
    ticks: ticksOf(low, high, unit, Math.max(2, Math.floor(room / 34))),
    y: (v) => place((v - low) / (high - low)),
  };
}

function drawBands(svg, bands, x, height, right) {
  for (const band of bands) {
    const from = x(band.from);
    const wide = Math.min(Math.max(x(band.to) - from, 2), right - from);
    if (wide <= 0) continue;
    const tall = band.source === "detected" ? 4 : height - MARGIN.top - MARGIN.bottom;
    const made = element("rect", {
      x: from.toFixed(1), y: (height - MARGIN.bottom - tall).toFixed(1),
      width: wide.toFixed(1), height: tall, class: `band tone-${band.tone} from-${band.source}`,
    }, svg);
    element("title", {}, made).textContent = band.label;
  }
}

// Where a phase began, with its name in the chart that has room for it.
function drawPassages(svg, passages, x, height, isNamed) {
  for (const { time, label } of passages) {
    element("line", { x1: x(time), x2: x(time), y1: 0, y2: height, class: "passage" }, svg);
    if (!isNamed) continue;
    element("text", { x: x(time) + 4, y: 9, class: "tick" }, svg).textContent = label;
  }
}

function drawAxis(svg, axis, side, format, width) {
  if (!axis) return;
  for (const tick of axis.ticks) {
    const y = axis.y(tick);
    if (side === "left") {
      element("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y, class: "grid" }, svg);
    }
    const at = side === "left" ? MARGIN.left - 8 : width - MARGIN.right + 8;
    const label = element("text", {
      x: at, y: y + 4, class: "tick", "text-anchor": side === "left" ? "end" : "start",
    }, svg);
    label.textContent = format(tick);
  }
}

function drawTime(svg, start, end, x, height, width, format) {
  const step = TIME_STEPS.find((s) => (end - start) / s <= width / 110) ?? 86400;
  for (let t = Math.ceil(start / step) * step; t <= end; t += step) {
    const label = element("text", { x: x(t), y: height + 14, class: "tick", "text-anchor": "middle" }, svg);
    label.textContent = format(t);
  }
}

// Draw a chart into its place. spec: lines [{points, tone, side, dashed}], left and right axes
// {unit, format, fromZero, logarithmic, bounds}, bands, passages (where phases began; named: with
// their names), start, end, height, time (a format, for the chart that carries the time axis). Returns how to show a time: mark(seconds or null).
export function draw(place, spec) {
  const width = Math.max(place.clientWidth, 280);
  const tall = spec.height + (spec.time ? AXIS_HEIGHT : 0);
  const svg = element("svg", {
    viewBox: `0 0 ${width} ${tall}`, width, height: tall, role: "img", "aria-label": spec.summary,
  });
  const right = width - MARGIN.right;
  const x = (t) => MARGIN.left + ((t - spec.start) / (spec.end - spec.start || 1)) * (right - MARGIN.left);
  drawBands(svg, spec.bands, x, spec.height, right);
  drawPassages(svg, spec.passages, x, spec.height, spec.named);
  const axes = {};
  for (const side of ["left", "right"]) {
    const mine = spec.lines.filter((line) => line.side === side);
    axes[side] = spec[side] && scale(mine, spec[side], spec.height);
    drawAxis(svg, axes[side], side, spec[side]?.format, width);
  }
  for (const bound of spec.left.bounds ?? []) {
    const y = axes.left?.y(bound);
    if (y !== undefined) element("line", { x1: MARGIN.left, x2: right, y1: y, y2: y, class: "bound" }, svg);
  }
  for (const line of spec.lines) {
    if (!axes[line.side]) continue;
    const kind = line.dashed ? "line dashed" : "line";
    element("path", { d: path(line.points, x, axes[line.side].y), class: `${kind} stroke-${line.tone}` }, svg);
  }
  if (spec.time) drawTime(svg, spec.start, spec.end, x, spec.height, width, spec.time);
  const cursor = element("line", { y1: 0, y2: spec.height, class: "cursor" }, svg);
  place.replaceChildren(svg);
  return {
    mark: (time) => {
      cursor.classList.toggle("shown", time !== null);
      if (time !== null) for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(time));
    },
    timeAt: (clientX) => {
      const share = (clientX - svg.getBoundingClientRect().left - MARGIN.left) / (right - MARGIN.left);
      return spec.start + Math.min(1, Math.max(0, share)) * (spec.end - spec.start);
    },
  };
}
