// What is looked at: which view, which range of time, which query. It stands in the address behind '#', which
// browsers do not send, so that "back" and a reload work.

const isRelative = (text) => /^\d+[smhd]$/.test(text);

export function read() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  return {
    view: parameters.get('view') || 'overview',
    since: parameters.get('since') || '1h',
    until: parameters.get('until') || '',
    where: parameters.get('where') || '',
    order: parameters.get('order') === 'oldest' ? 'oldest' : 'newest',
    id: parameters.get('id') || '',
    ip: parameters.get('ip') || '',
  };
}

export function hashOf(state) {
  const parameters = new URLSearchParams();
  for (const name of ['view', 'since', 'until', 'where', 'order', 'id', 'ip']) {
    const usual = { since: '1h', order: 'newest' }[name];
    if (state[name] && state[name] !== usual) parameters.set(name, state[name]);
  }
  return `#${parameters}`;
}

export function go(change) {
  const next = hashOf(Object.assign(read(), { id: '', ip: '' }, change));
  if (next === location.hash) dispatchEvent(new HashChangeEvent('hashchange'));
  else location.hash = next;
}

export function question(state) {
  const parameters = { since: state.since };
  if (state.until) parameters.until = state.until;
  if (state.where) parameters.where = state.where;
  return parameters;
}

export const isCustom = (state) => !isRelative(state.since) || state.until !== '';

const quoted = (value) => `"${String(value).replace(/[\\"]/g, '\\$&')}"`;

export function condition(field, value) {
  if (field === 'page') {
    const slash = value.indexOf('/');
    const host = slash < 0 ? value : value.slice(0, slash);
    const path = slash < 0 ? '' : value.slice(slash);
    return `host = ${quoted(host)} and path = ${quoted(path)}`;
  }
  if (field === 'class') {
    const from = Number(value) * 100;
    return from === 0 ? 'status < 100' : `status >= ${from} and status < ${from + 100}`;
  }
  return `${field} = ${typeof value === 'number' ? value : quoted(value)}`;
}

// Narrows what is looked at, in the same view unless that has no list of visits.
export function filter(field, value) {
  const state = read();
  const added = condition(field, value);
  if (state.where.includes(added)) return;
  const before = /\bor\b/i.test(state.where) ? `(${state.where})` : state.where;
  const view = ['overview', 'visits', 'live'].includes(state.view) ? state.view : 'visits';
  go({ view, where: before ? `${before} and ${added}` : added });
}

export const story = (change) => hashOf(Object.assign(read(), { where: '', id: '', ip: '' }, change));
