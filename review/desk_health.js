// How the recorder and the upstreams are: the edge's own status, for people.
import { bytes, count, el, put, time } from './dom.js';
import { health } from './requests.js';

const kEvery = 5000;

function card(title, well, lines) {
  return el('section', { class: 'card' },
    el('h2', {}, el('span', { class: 'lamp', data: { state: well ? 'on' : 'off' } }), title, el('span', { class: 'unseen' }, well ? ': well' : ': not well')),
    el('dl', { class: 'fields' }, lines.filter(Boolean).map(([name, value]) => [el('dt', {}, name), el('dd', {}, String(value))])));
}

function age(milliseconds) {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

function upstreams(status) {
  const servers = status.upstreams.flatMap((upstream) => upstream.servers.map((server) => Object.assign({ upstream: upstream.name }, server)));
  return el('section', { class: 'card' }, el('h2', {}, el('span', { class: 'lamp', data: { state: servers.every((one) => one.state === 'up') ? 'on' : 'off' } }), 'Upstreams'),
    el('table', {}, el('thead', {}, el('tr', {}, ['Upstream', 'Server', 'State'].map((name) => el('th', { scope: 'col' }, name)))),
      el('tbody', {}, servers.map((server) => el('tr', {}, el('td', {}, server.upstream), el('td', { class: 'mono value' }, server.server),
        el('td', {}, el('span', { class: `status ${server.state === 'up' ? 'good' : 'bad'}` }, server.state)))))));
}

function certificates(list) {
  if (!list) return null;
  const days = (one) => Math.floor((new Date(one.not_after) - Date.now()) / 86400000);
  return el('section', { class: 'card' }, el('h2', {}, el('span', { class: 'lamp', data: { state: list.every((one) => days(one) > 7) ? 'on' : 'off' } }), 'Certificates'),
    el('table', {}, el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Names'), el('th', { scope: 'col', class: 'number' }, 'Days left'))),
      el('tbody', {}, list.map((one) => el('tr', {}, el('td', { class: 'value' }, one.names), el('td', { class: 'number' }, count(days(one))))))));
}

function sinks(list) {
  if (!Array.isArray(list) || !list.length) return null;
  const isWell = (sink) => /^(ok|open|well|connected)/.test(sink.state);
  return el('section', { class: 'card' }, el('h2', {}, 'Sinks'),
    el('table', {}, el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Sink'), el('th', { scope: 'col' }, 'State'),
      ['Queued', 'Written', 'Left out'].map((name) => el('th', { scope: 'col', class: 'number' }, name)))),
    el('tbody', {}, list.map((sink) => el('tr', {}, el('td', {}, sink.name),
      el('td', { class: 'value' }, el('span', { class: `status ${isWell(sink) ? 'good' : 'bad'}` }, sink.state)),
      [sink.queued, sink.written, sink.left_out].map((number) => el('td', { class: 'number' }, count(number))))))));
}

function draw(status) {
  const visits = status.visits;
  return [
    card('Edge', status.state === 'serving', [['State', status.state], ['Version', status.version], ['Since (UTC)', time(status.started)],
      ['Workers', status.workers], ['Connections open', count(status.connections.open)], ['Exchanges open', count(status.exchanges_open)]]),
    card('Book', visits.sum.startsWith('accepted =') && visits.dropped === 0, [['Accepted', count(visits.accepted)], ['Stored', count(visits.stored)],
      ['In the journal', count(visits.in_journal)], ['Quarantined', count(visits.quarantined)], ['Dropped', count(visits.dropped)], ['Sum', visits.sum]]),
    card('Journal', status.journal.state === 'ok', [['State', status.journal.state], ['Segments', count(status.journal.segments)], ['Size', bytes(status.journal.bytes)]]),
    card('Redis', status.redis.up, [['State', status.redis.state], ['Durability', status.redis.durability], ['Behind', age(status.redis.lag_ms)]]),
    card('Names (DNS)', !/fail|no answer|unreachable/i.test(status.dns.state), [['State', status.dns.state], ['Asked for', count(status.dns.pending)], ['Kept', count(status.dns.cached)]]),
    card('Places', true, [['State', status.geo.state]]),
    card('Retention', status.retention.overdue === 0 && status.retention.undated_keys === 0, [['State', status.retention.state], ['Overdue', count(status.retention.overdue)],
      status.retention.next_destruction ? ['Next destruction (UTC)', time(status.retention.next_destruction)] : null]),
    card('Clock', status.clock.state === 'ok', [['State', status.clock.state]]),
    upstreams(status),
    certificates(status.certificates),
    sinks(status.sinks),
  ];
}

export async function show(main, state, { signal, fail }) {
  const grid = el('div', { class: 'cards' });
  put(main, el('div', { class: 'head' }, el('h1', {}, 'Health')), grid);
  put(grid, draw(await health(signal)));
  const timer = setInterval(async () => {
    try {
      put(grid, draw(await health(signal)));
    } catch (error) {
      clearInterval(timer);
      fail(error);
    }
  }, kEvery);
  signal.addEventListener('abort', () => clearInterval(timer));
}
