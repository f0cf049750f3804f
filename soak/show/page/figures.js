// How does a figure read to a person? The same words as soak/figures.py, which a test compares.

export const NOT_KNOWN = "–";
const BYTES = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]];
const SECONDS = [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];

const isFigure = (value) => typeof value === "number" && Number.isFinite(value);

// To the nearest whole number, halves to the even one, as Python does.
function rounded(value) {
  const up = Math.round(value);
  return Math.abs(value % 1) === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

// At most three significant digits below a thousand, thousands separated above.
export function digits(value) {
  if (!isFigure(value)) return NOT_KNOWN;
  if (Math.abs(value) >= 999.5) return whole(value);
  const text = String(Number(value.toPrecision(3)));
  return text.includes("e") ? Number(text).toFixed(6).replace(/\.?0+$/, "") : text;
}

export function whole(value) {
  if (!isFigure(value)) return NOT_KNOWN;
  return rounded(value).toLocaleString("en-US");
}

export function size(value) {
  if (!isFigure(value)) return NOT_KNOWN;
  const fitting = BYTES.find(([scale]) => Math.abs(value) >= scale);
  return fitting ? `${digits(value / fitting[0])} ${fitting[1]}` : `${digits(value)} bytes`;
}

export function latency(value) {
  if (!isFigure(value)) return NOT_KNOWN;
  if (value === 0) return "0 s";
  const fitting = SECONDS.find(([scale]) => Math.abs(value) >= scale * 0.9995);
  return fitting ? `${digits(value / fitting[0])} ${fitting[1]}` : `${digits(value * 1e9)} ns`;
}

const twoDigits = (value) => String(value).padStart(2, "0");

// A stretch of time: 42 s, 12 min, 6 h 05 min, 3 d 4 h.
export function span(value) {
  if (!isFigure(value)) return NOT_KNOWN;
  if (Math.abs(value) < 10) return `${digits(value)} s`;
  const seconds = rounded(value);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 ? `${minutes} min ${twoDigits(seconds % 60)} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${twoDigits(minutes % 60)} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

// Seconds since the start of the run as hours:minutes:seconds.
export function moment(value) {
  if (!isFigure(value)) return NOT_KNOWN;
  const seconds = Math.trunc(value);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map(twoDigits).join(":");
}

export function share(value) {
  if (!isFigure(value)) return NOT_KNOWN;
  const percent = value * 100;
  const magnitude = Math.abs(percent);
  if (magnitude >= 99 && magnitude < 99.95) return `${percent.toFixed(2)} %`;
  return `${digits(Number(percent.toPrecision(3)))} %`;
}

export function rate(value) {
  return isFigure(value) ? `${digits(value)}/s` : NOT_KNOWN;
}

// How much more the last is than the first, with its sign.
export function change(first, last) {
  if (!isFigure(first) || !isFigure(last) || first === 0) return NOT_KNOWN;
  const percent = (last / first - 1) * 100;
  if (Math.abs(percent) >= 1000) return `${digits(last / first)}×`;
  return `${percent < 0 ? "−" : "+"}${Math.abs(percent).toFixed(1)} %`;
}

// A check's figure in the unit its detector gives.
export function inUnit(value, unit) {
  switch (unit) {
    case "s": return latency(value);
    case "bytes": return size(value);
    case "ratio": return share(value);
    case "bytes/s": case "bytes_per_s": return isFigure(value) ? `${size(value * 3600)}/h` : NOT_KNOWN;
    case "recall": return isFigure(value) ? value.toFixed(3) : NOT_KNOWN;
    case "count": return digits(value);
    case "1/s": return rate(value);
    default: {
      const text = digits(value);
      return text === NOT_KNOWN || !unit ? text : `${text} ${unit}`;
    }
  }
}
