// The overview: figures of a range of time, drawn, and each as a table too.
import * as charts from './charts.js';
import { brief, bytes, count, duration, el, percent, put, time } from './dom.js';
import { findLines } from './requests.js';
import { filter, go, question } from './view.js';

const rankings = [
  { key: 'pages', title: 'Pages', field: 'page' },
  { key: 'addresses', title: 'Addresses', field: 'ip' },
  { key: 'networks', title: 'Networks', field: 'asn', name: (row) => `AS${row.value} ${row.more || ''}`.trim(),
    value: (row) => Number(row.value) },
  { key: 'countries', title: 'Countries', field: 'country', name: (row) => country(row.value) },
  { key: 'channels', title: 'Channels', field: 'channel' },
  { key: 'denials', title: 'Reasons of denials', field: 'denied' },
  { key: 'agents', title: 'Agents', field: 'user_agent', name: (row) => row.value || 'none given' },
];

const regions = new Intl.DisplayNames(['en'], { type: 'region' });
function country(code) {
  if (!/^[A-Z]{2}$/.test(code)) return code || 'unknown';
  return `${code} ${regions.of(code)}`;
}

function tile(name, value, detail) {
  return el('div', { class: 'tile' }, el('dt', {}, name), el('dd', {}, value, detail ? el('span', { class: 'quiet' }, ` ${detail}`) : null));
}

function tiles(figures) {
  const errors = figures.classes[5];
  return el('dl', { class: 'tiles' },
    tile('Visits', count(figures.visits), figures.open ? `${count(figures.open)} open` : ''),
    tile('Sessions', `${figures.sessions_exact ? '' : '≈ '}${brief(figures.sessions)}`),
    tile('Denied', count(figures.denied), percent(figures.denied, figures.visits)),
    tile('Errors (5xx)', count(errors), percent(errors, figures.visits)),
    tile('Half within', figures.latency_us.count ? duration(figures.latency_us.p50) : '–'),
    tile('99 % within', figures.latency_us.count ? duration(figures.latency_us.p99) : '–'),
    tile('Sent', bytes(figures.bytes_out)));
}

// Figures as they are shown, kept for later.
function saving(figures) {
  return el('button', { type: 'button', on: {
    click: () => {
      const link = el('a', { href: URL.createObjectURL(new Blob([JSON.stringify(figures, null, 2)], { type: 'application/json' })), download: 'figures.json' });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    },
  } }, 'Export JSON');
}

function card(title, className) {
  const plot = el('div', { class: 'plot' });
  const table = el('tbody', {});
  const head = el('thead', {});
  const details = el('details', {}, el('summary', {}, 'As a table'), el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${title}, as a table` }, el('table', {}, head, table)));
  const note = el('p', { class: 'quiet note' });
  const section = el('section', { class: `card ${className || ''}` }, el('h2', {}, title), plot, note, details);
  return { section, plot, head, table, note };
}

function headOf(...names) {
  return el('tr', {}, names.map((name, i) => el('th', { scope: 'col', class: i ? 'number' : null }, name)));
}

function timeCard(title, label, sets, options, columns) {
  const made = card(title, 'half');
  const draw = charts.overTime(made.plot, label, sets, Object.assign({
    pick: (at, bucket) => go({ since: new Date(at).toISOString(), until: new Date(at + bucket).toISOString() }),
  }, options));
  put(made.head, headOf('From (UTC)', ...columns.map((column) => column.name)));
  return {
    section: made.section,
    show(figures) {
      draw(figures);
      const rows = figures.time.filter((row) => row.visits > 0);
      put(made.table, rows.map((row) => el('tr', {},
        el('td', {}, el('button', { type: 'button', class: 'link', on: { click: () => go({ since: new Date(row.t).toISOString(), until: new Date(row.t + figures.bucket_ms).toISOString() }) } }, time(row.t))),
        columns.map((column) => el('td', { class: 'number' }, column.text(row))))));
    },
  };
}

function rankingCard(kind) {
  const made = card(kind.title);
  const nameOf = kind.name || ((row) => row.value || 'unknown');
  const valueOf = kind.value || ((row) => row.value);
  const pick = (row) => filter(kind.field, valueOf(row));
  const draw = charts.ranking(made.plot, `${kind.title} by visits; the table below has the same figures`, pick, kind.key === 'pages');
  put(made.head, headOf(kind.title, 'Visits', 'Denied'));
  return {
    section: made.section,
    show(figures) {
      const { rows, others, different } = figures[kind.key];
      const list = rows.map((row) => Object.assign({ name: nameOf(row) }, row));
      // One host's pages need not say whose they are.
      const hosts = new Set(list.map((row) => row.value.split('/', 1)[0]));
      if (kind.key === 'pages' && hosts.size === 1) for (const row of list) row.name = row.value.slice([...hosts][0].length) || '/';
      made.section.hidden = list.length === 0;
      if (!list.length) return;
      made.plot.style.height = `${list.length * 1.55 + 1.9}rem`;
      draw(list);
      made.note.textContent = others ? `${count(others)} visits of ${count(different - rows.length)} others` : '';
      put(made.table, list.map((row) => el('tr', {},
        el('td', { class: 'value' }, el('button', { type: 'button', class: 'link', title: 'Only these', on: { click: () => pick(row) } }, row.name)),
        el('td', { class: 'number' }, count(row.visits)),
        el('td', { class: 'number' }, count(row.denied)))));
    },
  };
}

export async function show(main, state, { reason, signal }) {
  const progress = el('progress', { max: '1', value: '0', 'aria-label': 'How much is read' });
  const told = el('p', { class: 'reading', role: 'status' }, 'Reading…');
  const reading = el('div', { class: 'readingbar' }, progress, told);
  const summary = el('div', { class: 'summary' });
  const grid = el('div', { class: 'cards' });
  const lists = el('div', { class: 'lists' });
  put(main, el('h1', { class: 'unseen' }, 'Overview'), reading, summary, grid, lists);
  let cards = [];
  await findLines('figures', question(state), reason, signal, (figures) => {
    const share = (figures.read_to - figures.since) / (figures.until - figures.since);
    progress.value = Math.min(1, Math.max(0, share));
    told.textContent = `Reading… ${percent(progress.value, 1)}, up to ${time(figures.read_to)} UTC`;
    if (figures.done) {
      reading.hidden = !figures.partial;
      progress.hidden = true;
      told.textContent = `Time is up: these figures go to ${time(figures.read_to)} UTC only. A shorter range shows all.`;
    }
    if (figures.done && figures.visits === 0) {
      charts.forget();
      put(summary);
      put(lists);
      put(grid, el('div', { class: 'empty' }, el('p', {}, el('strong', {}, 'No visits here.')),
        el('p', { class: 'quiet' }, state.where ? 'Nothing in this time fits the query.' : 'Nothing was recorded in this time. A longer range may have something.')));
      return;
    }
    if (!cards.length) {
      cards = [
        timeCard('Visits', 'Visits over time; the table below has the same figures', [
          { name: 'visits', tone: '--bar', of: (row) => row.visits }], {},
          [{ name: 'Visits', text: (row) => count(row.visits) }]),
        timeCard('Denials', 'Denials over time; the table below has the same figures', [
          { name: 'denied', tone: '--bad', of: (row) => row.denied }], {},
          [{ name: 'Denied', text: (row) => count(row.denied) }, { name: 'Of', text: (row) => count(row.visits) }]),
        timeCard('Status', 'Classes of status over time; the table below has the same figures',
          charts.classes.filter((one) => figures.classes[one.number] || one.number === 2).map((one) => (
            { name: one.name, tone: one.color, of: (row) => row.classes[one.number] })), { stacked: true },
          charts.classes.slice(2).map((one) => ({ name: one.name, text: (row) => count(row.classes[one.number]) }))),
        timeCard('How long answers took', 'Percentiles of durations over time; the table below has the same figures',
          ['p50', 'p90', 'p99'].map((name) => ({
            name: `${name.slice(1)} %`, tone: `--${name}`, line: true, of: (row) => row[name] || null })),
          { unit: 'time', logarithmic: true },
          ['p50', 'p90', 'p99'].map((name) => ({ name: `${name.slice(1)} % within`, text: (row) => duration(row[name]) }))),
      ];
      put(grid, cards.map((one) => one.section));
      const ranked = rankings.map((kind) => rankingCard(kind));
      put(lists, ranked.map((one) => one.section));
      cards.push(...ranked);
    }
    put(summary, tiles(figures), figures.done ? saving(figures) : null);
    for (const one of cards) one.show(figures);
  });
}
