// Charts, drawn by Chart.js from figures that stand beside them as tables, too.
import { brief, count, duration, time } from './dom.js';

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const charts = new Set();

export const classes = [
  { name: 'no status', color: '--none', number: 0 },
  { name: '1xx', color: '--info', number: 1 },
  { name: '2xx', color: '--good', number: 2 },
  { name: '3xx', color: '--moved', number: 3 },
  { name: '4xx', color: '--warn', number: 4 },
  { name: '5xx', color: '--bad', number: 5 },
];

function paint(chart) {
  for (const set of chart.data.datasets) {
    set.backgroundColor = color(set.tone);
    set.borderColor = color(set.tone);
    set.hoverBackgroundColor = color('--accent');
  }
  for (const scale of Object.values(chart.options.scales)) {
    scale.ticks.color = color('--quiet');
    scale.grid = Object.assign({}, scale.grid, { color: color('--line'), borderColor: color('--line') });
  }
  const legend = chart.options.plugins.legend;
  legend.labels = Object.assign({}, legend.labels, { color: color('--text') });
  chart.update('none');
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => charts.forEach(paint));

export function forget() {
  for (const chart of charts) chart.destroy();
  charts.clear();
}

function canvas(holder, label) {
  const element = document.createElement('canvas');
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', label);
  holder.replaceChildren(element);
  return element;
}

function make(holder, label, config) {
  const chart = new Chart(canvas(holder, label), config);
  charts.add(chart);
  paint(chart);
  return chart;
}

function change(chart, labels, values) {
  chart.data.labels = labels;
  values.forEach((data, i) => {
    chart.data.datasets[i].data = data;
  });
  chart.update('none');
}

const base = (extra) =>
  Object.assign(
    {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: 'index', intersect: false },
    },
    extra,
  );

function tickOf(bucket) {
  return function label(index) {
    const moment = this.getLabelForValue(index);
    const text = new Date(moment).toISOString();
    if (bucket >= 86400000) return text.slice(5, 10);
    if (bucket >= 3600000) return `${text.slice(5, 10)} ${text.slice(11, 16)}`;
    return bucket < 60000 ? text.slice(11, 19) : text.slice(11, 16);
  };
}

// A value without neighbours makes no line: it is a dot.
function dotOfOne({ dataset, dataIndex }) {
  const isThere = (value) => value !== null && value !== undefined && !Number.isNaN(value);
  return isThere(dataset.data[dataIndex - 1]) || isThere(dataset.data[dataIndex + 1]) ? 0 : 3;
}

// A chart over time. `sets`: {name, tone, of: figures of a bucket → number, line}. `pick`: a bucket was clicked.
export function overTime(holder, label, sets, { stacked, unit, pick, logarithmic }) {
  let rows = [];
  let bucket = 60000;
  const say = unit === 'time' ? duration : count;
  const chart = make(holder, label, {
    data: {
      labels: [],
      datasets: sets.map((set) => ({
        type: set.line ? 'line' : 'bar',
        label: set.name,
        tone: set.tone,
        data: [],
        stack: stacked && !set.line ? 'all' : set.name,
        grouped: Boolean(stacked),
        borderWidth: set.line ? 2 : 0,
        pointRadius: set.line ? dotOfOne : undefined,
        pointHitRadius: 8,
        tension: 0,
        order: set.line ? 0 : 1,
        barPercentage: 1,
        categoryPercentage: 0.92,
        spanGaps: false,
      })),
    },
    options: base({
      onClick: (event, elements) => {
        if (elements.length && pick) pick(rows[elements[0].index].t, bucket);
      },
      plugins: {
        legend: { display: sets.length > 1, position: 'top', align: 'end', labels: { boxWidth: 10, boxHeight: 10 } },
        tooltip: {
          callbacks: {
            title: (items) => (items.length ? `${time(rows[items[0].dataIndex].t)} UTC` : ''),
            label: (item) => ` ${item.dataset.label}: ${item.raw === null ? '–' : say(item.raw)}`,
          },
        },
      },
      scales: {
        x: {
          stacked: Boolean(stacked),
          grid: { display: false },
          ticks: { maxRotation: 0, autoSkipPadding: 18, callback(index) { return tickOf(bucket).call(this, index); } },
        },
        y: {
          type: logarithmic ? 'logarithmic' : 'linear',
          stacked: Boolean(stacked),
          beginAtZero: !logarithmic,
          ticks: {
            maxTicksLimit: 5,
            precision: 0,
            callback: (value) => {
              if (unit !== 'time') return brief(value);
              return /^1/.test(String(value)) ? duration(value) : null;
            },
          },
        },
      },
    }),
  });
  return (figures) => {
    rows = figures.time;
    bucket = figures.bucket_ms;
    change(chart, rows.map((row) => row.t), sets.map((set) => rows.map(set.of)));
  };
}

// Bars that lie: how often each value came. `pick`: the value of a bar was clicked.
// Of long names the beginning is shown, or the end where that tells them apart.
export function ranking(holder, label, pick, byEnd) {
  let rows = [];
  const shorten = (text, room) => {
    if (text.length <= room) return text;
    return byEnd ? `…${text.slice(1 - room)}` : `${text.slice(0, room - 1)}…`;
  };
  const chart = make(holder, label, {
    type: 'bar',
    data: { labels: [], datasets: [{ label: 'visits', tone: '--bar', data: [], maxBarThickness: 16, borderRadius: 2 }] },
    options: base({
      indexAxis: 'y',
      onClick: (event, elements) => {
        if (elements.length && pick) pick(rows[elements[0].index]);
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          callbacks: {
            title: (items) => (items.length ? shorten(rows[items[0].dataIndex].name, 80) : ''),
            label: (item) => {
              const row = rows[item.dataIndex];
              return ` ${count(row.visits)} visits${row.denied ? `, ${count(row.denied)} denied` : ''}`;
            },
          },
        },
      },
      scales: {
        x: { beginAtZero: true, ticks: { maxTicksLimit: 5, precision: 0, maxRotation: 0, callback: (value) => brief(value) } },
        y: {
          grid: { display: false },
          ticks: {
            autoSkip: false,
            callback(index) {
              return shorten(this.getLabelForValue(index), this.chart.width < 340 ? 16 : 26);
            },
          },
        },
      },
    }),
  });
  return (list) => {
    rows = list;
    change(chart, list.map((row) => row.name), [list.map((row) => row.visits)]);
  };
}
