// What does Grafana's own front end draw of a board? Its panels by its grid, on a real Prometheus.
// Not Grafana itself: the plug-ins for table, heatmap and state timeline are not in its packages,
// so these three are plain ones here, drawn of the same answers.
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import {
  FieldType, Registry, ThemeContext, applyFieldOverrides, createTheme, dateTime, getDisplayProcessor,
  renderLegendFormat,
} from '@grafana/data';
import { BigValue } from 'grafana-ui/components/BigValue/BigValue.mjs';
import { TimeSeries } from 'grafana-ui/graveyard/TimeSeries/TimeSeries.mjs';
import { PrometheusAnnotationSupport } from 'grafana-annotations';

const theme = createTheme({ colors: { mode: 'dark' } });
const CELL = { width: 1900 / 24, height: 34, gap: 4 };
const setup = await (await fetch('setup.json')).json();
const range = { from: dateTime(setup.start_s * 1000), to: dateTime(setup.end_s * 1000) };
range.raw = { from: range.from, to: range.to };

// Field options that overrides may set; the defaults come as they are.
const option = (id, path, isCustom = false) => ({
  id, path, isCustom, name: id, process: (value) => value, shouldApply: () => true,
});
const options = new Registry(() => [
  ...['unit', 'color', 'min', 'max', 'decimals', 'mappings', 'thresholds', 'displayName', 'noValue']
    .map((id) => option(id, id)),
  ...['lineStyle', 'axisPlacement', 'lineWidth', 'fillOpacity', 'drawStyle', 'scaleDistribution',
    'axisSoftMin', 'showPoints', 'stacking', 'lineInterpolation', 'spanNulls', 'gradientMode', 'pointSize']
    .map((id) => option(`custom.${id}`, id, true)),
]);

const filledIn = (expr) => Object.entries(setup.variables)
  .reduce((text, [name, value]) => text.replaceAll(`$${name}`, value), expr);
const asked = async (path, parameters) => {
  const reply = await fetch(`api/v1/${path}?${new URLSearchParams(parameters)}`);
  const answer = await reply.json();
  if (answer.status !== 'success') throw new Error(`${answer.error}: ${parameters.query}`);
  return answer.data.result;
};
const overTime = (expr, step) => asked('query_range', {
  query: filledIn(expr), start: setup.start_s, end: setup.end_s, step,
});
const atTheEnd = (expr) => asked('query', { query: filledIn(expr), time: setup.end_s });

const frameOf = (series, legend) => ({
  length: series.values.length,
  fields: [
    { name: 'Time', type: FieldType.time, config: {}, values: series.values.map(([at]) => at * 1000) },
    {
      name: 'Value', type: FieldType.number, labels: series.metric,
      config: { displayNameFromDS: renderLegendFormat(legend || JSON.stringify(series.metric), series.metric) },
      values: series.values.map(([, value]) => Number(value)),
    },
  ],
});

async function frames(panel) {
  const found = await Promise.all(panel.targets.map(async (target) => {
    const many = target.instant
      ? (await atTheEnd(target.expr)).map((one) => ({ ...one, values: [one.value] }))
      : await overTime(target.expr, setup.step_s);
    return many.map((series) => ({ ...frameOf(series, target.legendFormat), refId: target.refId }));
  }));
  return applyFieldOverrides({
    data: found.flat(), theme, timeZone: 'utc', fieldConfig: panel.fieldConfig, fieldConfigRegistry: options,
    replaceVariables: (text) => text,
  });
}

async function marks(board) {
  const support = PrometheusAnnotationSupport({});
  const found = await Promise.all(board.annotations.list.map(async (mark) => {
    const step = mark.step;
    const series = await overTime(mark.target.expr, step);
    const data = series.map((one) => ({
      ...frameOf(one, ''), meta: { executedQueryString: `Expr: x\nStep: ${step}` },
    }));
    if (!data.length) return [];
    const events = await new Promise((done) => support.processEvents(mark, data).subscribe(done));
    return events.map((event) => ({ ...event, color: theme.visualization.getColorByName(mark.iconColor) }));
  }));
  return found.flat();
}

// Lines for moments, bands for what lasts: as Grafana draws them.
function Marks({ config, events }) {
  useLayoutEffect(() => {
    config.addHook('draw', (plot) => {
      const { ctx, bbox } = plot;
      ctx.save();
      for (const event of events) {
        const left = plot.valToPos(Math.max(event.time, setup.start_s * 1000), 'x', true);
        const right = plot.valToPos(event.timeEnd ?? event.time, 'x', true);
        if (left < bbox.left || left > bbox.left + bbox.width) continue;
        ctx.fillStyle = event.color;
        ctx.strokeStyle = event.color;
        ctx.globalAlpha = 0.25;
        ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height);
        ctx.globalAlpha = 0.9;
        ctx.lineWidth = event.timeEnd > event.time ? 1 : 2;
        ctx.setLineDash([5, 5]);
        ctx.beginPath();
        ctx.moveTo(left, bbox.top);
        ctx.lineTo(left, bbox.top + bbox.height);
        ctx.stroke();
        ctx.beginPath();
        ctx.moveTo(left - 5, bbox.top + bbox.height + 6);
        ctx.lineTo(left + 5, bbox.top + bbox.height + 6);
        ctx.lineTo(left, bbox.top + bbox.height);
        ctx.fill();
      }
      ctx.restore();
    });
  }, [config, events]);
  return null;
}

function Chart({ panel, data, events, width, height }) {
  const legend = { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] };
  return (
    <TimeSeries frames={data} timeRange={range} timeZone="utc" width={width} height={height}
      legend={legend} options={panel.options} structureRev={1}>
      {(config) => <Marks config={config} events={events} />}
    </TimeSeries>
  );
}

function Tile({ panel, data, width, height }) {
  const field = data[0]?.fields[1];
  if (!field) return <div className="title">{panel.fieldConfig.defaults.noValue}</div>;
  const display = field.display ?? getDisplayProcessor({ field, theme });
  const value = display(field.values.at(-1));
  const sparkline = panel.options.graphMode === 'area' && field.values.length > 1
    ? { y: field, x: data[0].fields[0] } : undefined;
  return (
    <BigValue value={value} sparkline={sparkline} width={width} height={height} theme={theme}
      colorMode={panel.options.colorMode} graphMode={panel.options.graphMode} />
  );
}

function Rows({ panel, data }) {
  const columns = panel.targets.map((target) => {
    const heading = panel.transformations[1].options.renameByName[`Value #${target.refId}`];
    const found = panel.fieldConfig.overrides.find((o) => o.matcher.options === heading);
    const unit = found?.properties[0].value;
    return { refId: target.refId, heading, show: getDisplayProcessor({ field: { type: 'number', config: { unit } }, theme }) };
  });
  const rows = new Map();
  for (const frame of data) {
    const labels = frame.fields[1].labels;
    const key = JSON.stringify(labels);
    if (!rows.has(key)) rows.set(key, { labels });
    rows.get(key)[frame.refId] = frame.fields[1].values.at(-1);
  }
  const by = [...new Set([...rows.values()].flatMap((row) => Object.keys(row.labels)))];
  const text = (column, value) => {
    if (value === undefined) return '';
    const shown = column.show(value);
    return `${shown.prefix ?? ''}${shown.text}${shown.suffix ?? ''}`;
  };
  return (
    <table>
      <thead><tr>{[...by, ...columns.map((c) => c.heading)].map((h) => <th key={h}>{h}</th>)}</tr></thead>
      <tbody>
        {[...rows.entries()].map(([key, row]) => (
          <tr key={key}>
            {by.map((name) => <td key={name}>{row.labels[name]}</td>)}
            {columns.map((column) => <td key={column.refId}>{text(column, row[column.refId])}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

// From when to when each value held.
function stretches(times, values) {
  const found = [];
  values.forEach((value, i) => {
    const latest = found.at(-1);
    if (latest) latest.to = times[i];
    if (!latest || latest.value !== value) found.push({ from: times[i], to: times[i], value });
  });
  return found;
}

// Bands of the value mappings' colours.
function Bands({ data, width, height }) {
  const line = Math.min(28, (height - 10) / Math.max(1, data.length));
  const at = (time) => 130 + (width - 140) * (time - setup.start_s * 1000) / ((setup.end_s - setup.start_s) * 1000);
  return (
    <svg width={width} height={height} style={{ fill: theme.colors.text.primary, fontSize: 12 }}>
      {data.map((frame, row) => {
        const [time, field] = frame.fields;
        const show = getDisplayProcessor({ field, theme });
        return (
          <g key={row} transform={`translate(0,${row * line})`}>
            <text x="8" y={line / 2 + 4}>{field.config.displayNameFromDS}</text>
            {stretches(time.values, field.values).map(({ from, to, value }) => (
              <rect key={from} x={at(from)} y="2" height={line - 4} fill={show(value).color}
                width={Math.max(1, at(to) - at(from))} />
            ))}
          </g>
        );
      })}
    </svg>
  );
}

// How many fell between one bound and the next below it, step by step.
function cells(bounded) {
  const counts = bounded.map(({ fields: [time, field] }) => new Map(
    time.values.map((at, i) => [at, field.values[i]]),
  ));
  return counts.flatMap((held, row) => [...held].map(([time, count]) => (
    { row, time, count: count - (counts[row - 1]?.get(time) ?? 0) }
  ))).filter(({ count }) => count > 1e-9);
}

// The more there are, the brighter; a row per bound of a histogram.
function Heat({ panel, data, width, height }) {
  const canvas = useRef(null);
  const bound = (frame) => Number(frame.fields[1].labels.le.replace('+Inf', 'Infinity'));
  const bounded = data.filter((frame) => frame.fields[1].labels.le).sort((a, b) => bound(a) - bound(b));
  const { unit } = panel.options.yAxis;
  const show = getDisplayProcessor({ field: { type: 'number', config: { unit } }, theme });
  const [left, bottom] = [60, height - 20];
  const at = (time_s) => left + (width - left) * (time_s - setup.start_s) / (setup.end_s - setup.start_s);
  useLayoutEffect(() => {
    const ctx = canvas.current.getContext('2d');
    const tall = bottom / bounded.length;
    const filled = cells(bounded);
    const most = Math.max(...filled.map(({ count }) => count));
    const wide = Math.max(1, at(setup.step_s) - at(0));
    for (const { row, time, count } of filled) {
      ctx.fillStyle = `rgba(255, 152, 48, ${0.08 + 0.92 * Math.sqrt(count / most)})`;
      ctx.fillRect(at(time / 1000), bottom - (row + 1) * tall, wide, tall - 1);
    }
    ctx.fillStyle = theme.colors.text.primary;
    ctx.font = '12px Inter, "DejaVu Sans", sans-serif';
    bounded.forEach((frame, row) => {
      const { text, suffix } = show(bound(frame));
      if (row % 2 === 0) ctx.fillText(`${text}${suffix ?? ''}`, 4, bottom - row * tall - 2);
    });
    for (let time_s = Math.ceil(setup.start_s / 300) * 300; time_s < setup.end_s; time_s += 300) {
      ctx.fillText(dateTime(time_s * 1000).utc().format('HH:mm'), at(time_s) - 16, height - 4);
    }
  });
  return <canvas ref={canvas} width={width} height={height} />;
}

const KINDS = { timeseries: Chart, stat: Tile, table: Rows, 'state-timeline': Bands, heatmap: Heat };

function Board() {
  const [shown, show] = useState(null);
  useEffect(() => {
    (async () => {
      const { board } = setup;
      const panels = board.panels.filter((panel) => KINDS[panel.type]);
      const data = await Promise.all(panels.map(frames));
      const events = await marks(board);
      show({ panels, data, events, rows: board.panels.filter((panel) => panel.type === 'row') });
      document.body.dataset.events = events.length;
      document.body.dataset.empty = panels.filter((_, i) => !data[i].length).map((p) => p.title).join('; ');
      requestAnimationFrame(() => setTimeout(() => { document.body.dataset.shown = 'yes'; }, 1500));
    })().catch((error) => { document.body.dataset.shown = String(error.stack); });
  }, []);
  if (!shown) return null;
  const place = ({ gridPos: { x, y, w, h } }) => ({
    left: 10 + x * CELL.width, top: 50 + y * CELL.height,
    width: w * CELL.width - CELL.gap, height: h * CELL.height - CELL.gap,
  });
  return (
    <>
      <div className="row" style={{ left: 14, top: 6, fontSize: 20 }}>{setup.board.title} · {setup.heading}</div>
      {shown.rows.map((row) => <div key={row.id} className="row" style={place(row)}>{row.title}</div>)}
      {shown.panels.map((panel, i) => {
        const Kind = KINDS[panel.type];
        const box = place(panel);
        const look = { ...box, background: theme.colors.background.primary, border: `1px solid ${theme.colors.border.weak}` };
        return (
          <div key={panel.id} className="panel" style={look}>
            <div className="title">{panel.title}</div>
            <Kind panel={panel} data={shown.data[i]} events={shown.events} width={box.width - 10} height={box.height - 34} />
          </div>
        );
      })}
    </>
  );
}

document.body.style.background = theme.colors.background.canvas;
document.body.style.color = theme.colors.text.primary;
createRoot(document.getElementById('board')).render(
  <ThemeContext.Provider value={theme}><Board /></ThemeContext.Provider>,
);
