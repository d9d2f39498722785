// The story of a session, and of an address: what happened, from where, with what.
import { bytes, count, duration, el, put, time } from './dom.js';
import { find } from './requests.js';
import { question, story } from './view.js';
import { row, table, tone } from './visits.js';

function lasted(first, last) {
  const seconds = Math.round((new Date(last) - new Date(first)) / 1000);
  if (seconds < 1) return 'a moment';
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

function values(title, list, link) {
  if (!list.length) return null;
  return el('section', { class: 'card' }, el('h2', {}, title),
    el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': title }, el('table', {}, el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Value'), el('th', { scope: 'col', class: 'number' }, 'Visits'), el('th', { scope: 'col' }, 'First seen (UTC)'))),
      el('tbody', {}, list.map((one) => el('tr', {},
        el('td', { class: 'value' }, link ? el('a', { href: link(one.value) }, one.value) : one.value),
        el('td', { class: 'number' }, count(one.visits)),
        el('td', { class: 'when' }, time(one.first).slice(5))))))));
}

function timeline(visits) {
  let before = null;
  return el('ol', { class: 'timeline' }, visits.map((visit) => {
    const gap = before ? (new Date(visit.time) - new Date(before.time)) / 1000 : 0;
    const pause = gap >= 60 ? el('li', { class: 'pause quiet' }, `${lasted(before.time, visit.time)} later`) : null;
    const moved = before && before.ip !== visit.ip ? el('li', { class: 'moved' }, `now from ${visit.ip}${visit.country ? `, ${visit.country}` : ''}`) : null;
    before = visit;
    return [pause, moved, el('li', {},
      el('span', { class: 'mono quiet' }, visit.time.slice(11, 19)), ' ',
      el('span', { class: `status ${tone(visit.status)}` }, visit.open ? 'open' : String(visit.status)), ' ',
      el('span', { class: 'method' }, visit.method), ' ', el('span', { class: 'url' }, `${visit.host || ''}${visit.path || ''}${visit.query ? `?${visit.query}` : ''}`), ' ',
      el('span', { class: 'quiet' }, duration(visit.duration_us), visit.denied ? `, denied: ${visit.denied}` : ''))];
  }));
}

function facts(told) {
  const tile = (name, value) => el('div', { class: 'tile' }, el('dt', {}, name), el('dd', {}, value));
  return el('dl', { class: 'tiles' }, tile('Visits', count(told.visits_met)), tile('Denied', count(told.denied)),
    tile('Sent', bytes(told.bytes_out)), told.first ? tile('Lasted', lasted(told.first, told.last)) : null,
    told.first ? tile('First (UTC)', time(told.first).slice(5)) : null, told.last ? tile('Last (UTC)', time(told.last).slice(5)) : null);
}

function beginning(start) {
  const names = Object.keys(start);
  if (!names.length) return null;
  return el('section', { class: 'card' }, el('h2', {}, 'How it began'),
    el('dl', { class: 'fields' }, names.map((name) => [el('dt', {}, name), el('dd', {}, start[name])])));
}

const notes = (told) => [
  told.partial ? el('p', { class: 'notice' }, 'Time is up: not all was looked through. A shorter range shows all.') : null,
  told.visits_met > told.visits.length ? el('p', { class: 'notice' }, `The first ${count(told.visits.length)} of ${count(told.visits_met)} visits.`) : null,
];

export async function session(main, state, { reason, signal }) {
  put(main, el('p', { class: 'reading', role: 'status' }, 'Reading…'));
  const told = await find('session', { id: state.id }, reason, signal);
  put(main,
    el('div', { class: 'head' }, el('h1', {}, 'Session ', el('span', { class: 'mono' }, state.id)), el('a', { href: '#', on: { click: back } }, 'Back')),
    facts(told), notes(told),
    el('div', { class: 'cards' },
      el('section', { class: 'card wide' }, el('h2', {}, 'What happened'), timeline(told.visits)),
      beginning(told.start),
      values('Addresses', told.addresses, (value) => story({ view: 'address', ip: value })),
      values('Names', told.names), values('Places', told.places), values('Networks', told.networks), values('Agents', told.agents)));
}

export async function address(main, state, { reason, signal }) {
  put(main, el('p', { class: 'reading', role: 'status' }, 'Reading…'));
  const told = await find('address', Object.assign(question(state), { ip: state.ip }), reason, signal);
  const body = el('tbody', {}, told.visits.map(row));
  put(main,
    el('div', { class: 'head' }, el('h1', {}, 'Address ', el('span', { class: 'mono' }, state.ip)), el('a', { href: '#', on: { click: back } }, 'Back')),
    facts(told), notes(told),
    el('div', { class: 'cards' },
      values('Sessions', told.sessions, (value) => story({ view: 'session', id: value })),
      told.addresses.length > 1 ? values('Addresses', told.addresses) : null,
      values('Names', told.names), values('Places', told.places), values('Networks', told.networks), values('Agents', told.agents)),
    table('Visits', body));
}

function back(event) {
  event.preventDefault();
  history.back();
}
