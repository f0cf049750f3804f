// Point at a figure: a line at the same moment in all of them, and the values where one points.
const charts = [...document.querySelectorAll("svg[data-frame]")].map((svg) => {
  const [left, top, width, height] = svg.dataset.frame.split(" ").map(Number);
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("class", "cursor");
  svg.append(line);
  const readout = document.createElement("div");
  readout.className = "readout";
  svg.parentElement.append(readout);
  return { svg, left, top, width, height, line, readout, curves: JSON.parse(svg.dataset.curves) };
});
const end = Math.max(...charts.flatMap((chart) => chart.curves.map((curve) => curve.end_s)));

const digits = (value) =>
  Math.abs(value) >= 999.5 ? Math.round(value).toLocaleString("en") : String(+value.toPrecision(3));
const scaled = (value, units) => {
  const [scale, unit] = units.find(([size]) => Math.abs(value) >= size) || units.at(-1);
  return `${digits(value / scale)} ${unit}`;
};
const say = {
  s: (value) => scaled(value, [[1, "s"], [1e-3, "ms"], [1e-6, "µs"]]),
  bytes: (value) =>
    scaled(value, [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "bytes"]]),
  ratio: (value) => `${digits(value * 100)} %`,
  "1/s": (value) => `${digits(value)}/s`,
  count: digits,
};
const clock = (seconds) =>
  [seconds / 3600, (seconds / 60) % 60, seconds % 60]
    .map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");

// The points of a curve as drawn, read once; nearest by halving, since x ascends.
const points = (chart, number) => {
  const path = chart.svg.querySelector(`[data-curve="${number}"] path`);
  const found = [...(path?.getAttribute("d") ?? "").matchAll(/[ML] ([-\d.e]+) ([-\d.e]+)/g)];
  return (chart.curves[number].points ??= found.map((pair) => [+pair[1], +pair[2]]));
};
const valueAt = (chart, number, x) => {
  const all = points(chart, number);
  let [first, last] = [0, all.length - 1];
  if (last < 0) return null;
  while (last - first > 1) {
    const middle = (first + last) >> 1;
    if (all[middle][0] < x) first = middle; else last = middle;
  }
  const near = Math.abs(all[first][0] - x) < Math.abs(all[last][0] - x) ? all[first] : all[last];
  if (Math.abs(near[0] - x) > chart.width / 20) return null;
  const { low, high, log } = chart.curves[number];
  const share = 1 - (near[1] - chart.top) / chart.height;
  return log ? low * (high / low) ** share : low + (high - low) * share;
};

const point = (event, pointed) => {
  const box = pointed.svg.getBoundingClientRect();
  const unit = pointed.svg.viewBox.baseVal.width / box.width;
  const share = ((event.clientX - box.left) * unit - pointed.left) / pointed.width;
  for (const chart of charts) {
    const x = chart.left + share * chart.width;
    const inside = share >= 0 && share <= 1;
    chart.line.setAttribute("d", inside ? `M${x} ${chart.top}v${chart.height}` : "");
    chart.readout.style.display = inside && chart === pointed ? "block" : "none";
  }
  const x = pointed.left + share * pointed.width;
  const rows = pointed.curves.map((curve, number) => [curve, valueAt(pointed, number, x)]);
  pointed.readout.replaceChildren(clock(share * end), ...rows.filter((row) => row[1] !== null)
    .map(([curve, value]) => {
      const row = document.createElement("span");
      row.style.setProperty("--tone", `var(--${curve.tone})`);
      row.textContent = `${curve.label.replace(" (right)", "")} ${say[curve.unit](value)}`;
      return row;
    }));
  const place = (x / unit) + (share > 0.7 ? -12 - pointed.readout.offsetWidth : 12);
  pointed.readout.style.left = `${place}px`;
  pointed.readout.style.top = `${pointed.svg.offsetTop + pointed.top / unit + 6}px`;
};
for (const chart of charts) {
  chart.svg.addEventListener("pointermove", (event) => point(event, chart));
  chart.svg.addEventListener("pointerleave", () => {
    for (const other of charts) {
      other.line.setAttribute("d", "");
      other.readout.style.display = "none";
    }
  });
}
