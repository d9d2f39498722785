// The desk: who looks, at what, and what is shown.
import * as charts from './charts.js';
import { byId, el, put } from './dom.js';
import * as health from './health.js';
import * as overview from './overview.js';
import * as requests from './requests.js';
import * as stories from './stories.js';
import * as view from './view.js';
import * as visits from './visits.js';

const main = byId('main');
const views = {
  overview: { show: overview.show, asks: true, name: 'Overview' },
  visits: { show: visits.show, asks: true, name: 'Visits' },
  live: { show: visits.watch, asks: true, name: 'Live', isDiscreet: true },
  health: { show: health.show, name: 'Health', isDiscreet: true },
  session: { show: stories.session, name: 'Session' },
  address: { show: stories.address, asks: true, name: 'Address' },
};

let reader = null;
let under = new AbortController();
// The reason given, and what it was given for: another question needs it anew.
let revealed = { reason: '', key: '' };

const keyOf = (state) => view.hashOf(state);

function sayShown(state) {
  const whole = revealed.reason !== '' && !views[state.view].isDiscreet;
  const shown = byId('shown');
  shown.hidden = !whole;
  put(shown, whole ? [`Addresses and names are shown in full; in the audit log: “${revealed.reason}” `,
    el('button', { type: 'button', on: { click: hide } }, 'Hide again')] : []);
  byId('reveal').hidden = !reader.may_reveal || whole || Boolean(views[state.view].isDiscreet);
}

function hide() {
  revealed = { reason: '', key: '' };
  show();
}

function fill(state) {
  const isCustom = view.isCustom(state);
  const range = byId('range');
  range.value = isCustom ? 'custom' : state.since;
  if (range.value === '') range.value = 'custom';
  for (const field of document.querySelectorAll('.custom')) field.hidden = range.value !== 'custom';
  if (isCustom) {
    const plain = (text) => (/^\d{4}-/.test(text) ? text.slice(0, 19) : '');
    byId('from').value = plain(state.since);
    byId('to').value = plain(state.until);
  }
  byId('where').value = state.where;
  byId('saved').value = state.where;
  if (byId('saved').selectedIndex < 0) byId('saved').value = '';
  byId('ask').hidden = !views[state.view].asks;
  for (const link of document.querySelectorAll('#views a')) {
    const here = link.dataset.view === state.view;
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
    link.href = view.hashOf(Object.assign({}, state, { view: link.dataset.view, id: '', ip: '' }));
  }
  document.title = `${views[state.view].name} – Gatebook desk`;
}

function slip(text) {
  byId('slip').hidden = !text;
  byId('slip').textContent = text || '';
  if (text) byId('where').setAttribute('aria-invalid', 'true');
  else byId('where').removeAttribute('aria-invalid');
}

function fail(error) {
  if (error.name === 'AbortError') return;
  if (error.status === 401) {
    begin();
    return;
  }
  const state = view.read();
  // A slip of the query is shown under it, with its caret.
  const isFine = error.status === 400 && /without a reason/.test(error.message);
  if (isFine && error.message.includes('\n')) slip(error.message);
  if (error.status === 400 && !isFine && error.message.includes('\n')) {
    slip(error.message);
    put(main, el('div', { class: 'empty' }, el('p', {}, 'The query is not understood: see above.')));
    return;
  }
  if (error.status === 400 && !isFine) slip(error.message);
  put(main, el('div', { class: 'empty', role: 'alert' }, el('p', {}, el('strong', {}, error.message.split('\n')[0].replace(/^where: /, ''))),
    isFine && reader.may_reveal ? el('button', { type: 'button', class: 'main', on: { click: () => askReason() } }, 'Reveal…') :
      el('button', { type: 'button', on: { click: () => show(false) } }, 'Try again'),
    views[state.view].asks ? null : el('p', {}, el('a', { href: '#view=overview' }, 'Overview'))));
}

function show(isMove) {
  const state = view.read();
  if (!views[state.view]) state.view = 'overview';
  under.abort();
  under = new AbortController();
  charts.forget();
  slip('');
  if (revealed.key !== keyOf(state)) revealed = { reason: '', key: '' };
  fill(state);
  sayShown(state);
  const { signal } = under;
  const how = { reason: views[state.view].isDiscreet ? '' : revealed.reason, signal, fail: (error) => { if (!signal.aborted) fail(error); } };
  Promise.resolve()
    .then(() => views[state.view].show(main, state, how))
    // What had the focus may be gone with what was shown before.
    .then(() => { if (isMove && document.activeElement === document.body) main.focus({ preventScroll: true }); })
    .catch((error) => how.fail(error));
}

function ask(event) {
  event.preventDefault();
  const range = byId('range').value;
  const change = { where: byId('where').value.trim(), since: range, until: '', ip: view.read().ip };
  if (range === 'custom') {
    const moment = (id) => (byId(id).value ? `${byId(id).value.padEnd(19, ':00')}Z` : '');
    change.since = moment('from') || '24h';
    change.until = moment('to');
  }
  view.go(change);
}

function askReason() {
  const dialog = byId('reason');
  byId('why-slip').hidden = true;
  dialog.returnValue = '';
  dialog.showModal();
  byId('why').focus();
}

function giveReason(event) {
  const reason = byId('why').value.trim();
  if (!/[\p{L}\p{N}]/u.test(reason)) {
    event.preventDefault();
    byId('why-slip').hidden = false;
    byId('why-slip').textContent = 'A reason is needed: it is written down.';
    return;
  }
  revealed = { reason, key: keyOf(view.read()) };
  show();
}

function login(byPassword) {
  byId('top').hidden = true;
  const form = byId('login').content.firstElementChild.cloneNode(true);
  const said = form.querySelector('.slip');
  if (!byPassword) {
    put(main, el('div', { class: 'empty' }, el('p', {}, el('strong', {}, 'Nobody is known here.')),
      el('p', { class: 'quiet' }, 'No reader of this edge logs in with a password: a client certificate or a token is needed.')));
    return;
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    said.hidden = true;
    const button = form.querySelector('button');
    button.disabled = true;
    try {
      await requests.logIn(form.elements.name.value, form.elements.password.value);
      await begin();
    } catch (error) {
      said.hidden = false;
      said.textContent = error.message;
      form.elements.password.value = '';
      form.elements.password.focus();
    } finally {
      button.disabled = false;
    }
  });
  put(main, form);
  form.elements.name.focus();
}

async function begin() {
  under.abort();
  try {
    reader = await requests.me();
  } catch (error) {
    reader = null;
    if (error.status === 401) return login(error.body.password);
    put(main, el('div', { class: 'empty', role: 'alert' }, el('p', {}, error.message), el('button', { type: 'button', on: { click: begin } }, 'Try again')));
    return null;
  }
  byId('top').hidden = false;
  byId('edge').textContent = reader.edge;
  byId('reader').textContent = reader.name;
  byId('role').textContent = reader.role;
  byId('logout').hidden = !reader.may_log_out;
  put(byId('saved'), el('option', { value: '' }, reader.queries.length ? '–' : 'none'), reader.queries.map((query) => el('option', { value: query.where }, query.name)));
  byId('saved').disabled = reader.queries.length === 0;
  for (const option of byId('range').options) {
    const days = Number.parseInt(option.value, 10) * 24;
    if (option.value.endsWith('d')) option.hidden = days > Math.max(reader.retention_hours, 24);
  }
  show();
  return null;
}

byId('ask').addEventListener('submit', ask);
byId('clear').addEventListener('click', () => view.go({ where: '', since: '1h', until: '', ip: view.read().ip }));
byId('saved').addEventListener('change', () => {
  byId('where').value = byId('saved').value;
  byId('ask').requestSubmit();
});
byId('range').addEventListener('change', () => {
  const isCustom = byId('range').value === 'custom';
  for (const field of document.querySelectorAll('.custom')) field.hidden = !isCustom;
  if (isCustom) byId('from').focus();
  else byId('ask').requestSubmit();
});
byId('reveal').addEventListener('click', askReason);
byId('reason').querySelector('form').addEventListener('submit', giveReason);
byId('logout').addEventListener('click', async () => {
  await requests.logOut().catch(() => {});
  revealed = { reason: '', key: '' };
  begin();
});
for (const dialog of document.querySelectorAll('dialog')) {
  for (const button of dialog.querySelectorAll('[data-close]')) button.addEventListener('click', () => dialog.close());
}
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener('hashchange', () => {
  if (reader) show(true);
});
begin();
