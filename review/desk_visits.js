// Lists of visits: pages of those that were, and those that come.
import { byId, bytes, clock, count, duration, el, put } from './dom.js';
import { download, find, live } from './requests.js';
import { filter, go, question, story } from './view.js';

const kMostLive = 200;

function narrow(field, value, text, title) {
  return el('button', { type: 'button', class: 'link', title: title || `Only ${field} ${value}`, on: { click: () => filter(field, value) } }, text);
}

export function tone(status) {
  return ['none', 'info', 'good', 'moved', 'warn', 'bad'][Math.floor(status / 100)] || 'none';
}

function fieldsOf(visit) {
  return el('dl', { class: 'fields' }, Object.entries(visit).map(([name, value]) => {
    const text = Array.isArray(value) ? value.join(', ') : String(value);
    const asked = !Array.isArray(value) && !['id', 'time', 'open', 'session_new', 'request_id'].includes(name);
    return [el('dt', {}, name), el('dd', {}, asked ? narrow(name, value, text) : text)];
  }));
}

function open(visit) {
  const dialog = byId('visit');
  put(byId('visit-fields'), fieldsOf(visit));
  byId('visit-fields').addEventListener('click', (event) => {
    if (event.target.closest('button')) dialog.close();
  });
  dialog.showModal();
}

export function addressLink(visit) {
  if (!visit.ip) return '–';
  return el('a', { href: story({ view: 'address', ip: visit.ip }), title: 'All visits from here' }, visit.ip);
}

export function sessionLink(session) {
  if (!session) return '–';
  return el('a', { href: story({ view: 'session', id: session }), title: 'All of this session', class: 'mono' }, session.slice(0, 8));
}

const columns = ['Time (UTC)', 'Status', 'Request', 'Address', 'Name', 'Place', 'Source', 'Took', 'Sent', 'Session'];

export function row(visit) {
  const cell = (label, ...content) => el('td', { data: { label } }, ...content);
  const status = visit.open ? 'open' : String(visit.status);
  const line = el('tr', { data: { id: visit.id } },
    cell('Time', el('button', { type: 'button', class: 'link mono', title: 'All that is known', on: { click: () => open(visit) } },
      el('span', { class: 'day' }, visit.time.slice(0, 10)), ' ', clock(visit.time))),
    cell('Status', el('span', { class: `status ${tone(visit.status)}` }, visit.open ? status : narrow('status', visit.status, status)),
      visit.denied ? el('span', { class: 'denied' }, ' ', narrow('denied', visit.denied, visit.denied)) : null),
    cell('Request', el('span', { class: 'request' }, el('span', { class: 'method' }, visit.method),
      narrow('page', `${visit.host || ''}${visit.path || ''}`, el('span', {}, el('span', { class: 'quiet' }, visit.host), visit.path || '', visit.query ? `?${visit.query}` : ''), 'Only this page'))),
    cell('Address', addressLink(visit)),
    cell('Name', visit.dns ? el('span', {}, visit.dns, visit.dns_check === 'confirmed' ? '' : el('abbr', { title: 'not confirmed: the name does not lead back' }, '?')) : '–'),
    cell('Place', visit.country ? narrow('country', visit.country, visit.country) : '–', visit.city ? ` ${visit.city}` : ''),
    cell('Source', visit.channel ? narrow('channel', visit.channel, visit.channel) : '–'),
    cell('Took', el('span', { class: 'mono' }, duration(visit.duration_us))),
    cell('Sent', el('span', { class: 'mono' }, bytes(visit.bytes_out))),
    cell('Session', sessionLink(visit.session), visit.session_new ? el('span', { class: 'tag' }, 'new') : null));
  return line;
}

export function table(caption, body) {
  return el('div', { class: 'scroll visits', tabindex: '0', role: 'region', 'aria-label': caption },
    el('table', {}, el('caption', { class: 'unseen' }, caption),
      el('thead', {}, el('tr', {}, columns.map((name) => el('th', { scope: 'col' }, name)))), body));
}

function exports(state, reason) {
  const said = el('span', { role: 'status', class: 'quiet' });
  const button = (format, name) => el('button', { type: 'button', on: {
    click: async () => {
      said.textContent = 'Exporting…';
      try {
        const file = await download(Object.assign(question(state), { format, order: state.order }), reason);
        const link = el('a', { href: URL.createObjectURL(file.blob), download: `visits.${format === 'csv' ? 'csv' : 'ndjson'}` });
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60000);
        said.textContent = `${count(file.visits)} visits${file.more ? ', the first of more' : ''}`;
      } catch (error) {
        said.textContent = error.message;
      }
    },
  } }, name);
  return el('div', { class: 'exports' }, said, button('csv', 'Export CSV'), button('json', 'Export JSON'));
}

export async function show(main, state, { reason, signal, fail }) {
  const body = el('tbody', {});
  const more = el('button', { type: 'button' }, 'More');
  const told = el('p', { class: 'reading', role: 'status' }, 'Reading…');
  const order = el('select', { 'aria-label': 'Order', on: { change: () => go({ order: order.value }) } },
    el('option', { value: 'newest' }, 'Newest first'), el('option', { value: 'oldest' }, 'Oldest first'));
  order.value = state.order;
  const list = table('Visits', body);
  list.hidden = true;
  put(main, el('div', { class: 'head' }, el('h1', {}, 'Visits'), order, exports(state, reason)), list,
    el('div', { class: 'foot' }, told, more));
  more.hidden = true;
  let cursor = '';
  const next = async () => {
    more.disabled = true;
    told.textContent = 'Reading…';
    const page = await find('visits', Object.assign(question(state), { order: state.order, limit: '100' }, cursor ? { cursor } : {}), reason, signal);
    for (const visit of page.visits) body.append(row(visit));
    list.hidden = body.children.length === 0;
    cursor = page.next;
    more.hidden = !cursor;
    more.disabled = false;
    if (body.children.length === 0 && !cursor) told.textContent = state.where ? 'Nothing in this time fits the query.' : 'No visits in this time.';
    else if (page.partial) told.textContent = 'Time is up, and not all was looked through: go on with "More".';
    else if (cursor) told.textContent = `${count(body.children.length)} shown`;
    else told.textContent = body.children.length === 1 ? 'One visit' : `All ${count(body.children.length)} visits`;
  };
  more.addEventListener('click', () => next().catch(fail));
  await next();
}

export function watch(main, state, { signal }) {
  const body = el('tbody', {});
  const seen = new Set();
  let waiting = [];
  let missed = 0;
  let paused = false;
  const lamp = el('span', { class: 'lamp' });
  const told = el('span', {}, 'Connecting…');
  const pause = el('button', { type: 'button', 'aria-pressed': 'false' }, 'Pause');
  const empty = el('p', { class: 'empty quiet' }, 'Waiting for a visit that fits…');
  const list = table('Visits as they come', body);
  put(main, el('div', { class: 'head' }, el('h1', {}, 'Live'), el('p', { class: 'livestate', role: 'status' }, lamp, told), pause), list, empty);
  const say = (text, state) => {
    lamp.dataset.state = state;
    const parts = [text];
    if (paused) parts.push(`${count(waiting.length)} waiting`);
    if (missed) parts.push(`${count(missed)} left out`);
    const line = parts.join(' · ');
    if (told.textContent !== line) told.textContent = line;
  };
  let now = ['Connecting…', 'wait'];
  const add = (visit) => {
    body.prepend(row(visit));
    while (body.children.length > kMostLive) body.lastChild.remove();
    empty.hidden = true;
  };
  pause.addEventListener('click', () => {
    paused = !paused;
    pause.setAttribute('aria-pressed', String(paused));
    pause.textContent = paused ? 'Go on' : 'Pause';
    if (!paused) waiting.splice(0).forEach(add);
    say(...now);
  });
  const source = live(state.where, {
    open: () => say(...(now = ['Live', 'on'])),
    visit: (visit) => {
      if (seen.has(visit.id)) return;
      seen.add(visit.id);
      if (seen.size > 5000) seen.delete(seen.values().next().value);
      if (!paused) add(visit);
      else {
        waiting.push(visit);
        if (waiting.length > kMostLive) {
          waiting = waiting.slice(-kMostLive);
          missed += 1;
        }
      }
      say(...now);
    },
    missed: (number) => {
      missed += number;
      say(...now);
    },
    trouble: (why) => say(...(now = [why, 'off'])),
    closed: (forGood) => say(...(now = [forGood ? 'Ended: show again to go on' : 'Connection lost, trying again…', 'off'])),
  });
  signal.addEventListener('abort', () => source.close());
}
