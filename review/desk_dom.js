// Elements and texts. Whatever came from a visitor becomes a text node, never markup.

export function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') for (const [event, action] of Object.entries(value)) element.addEventListener(event, action);
    else if (name === 'class') element.className = value;
    else if (name === 'data') Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== '') element.append(child);
  }
  return element;
}

export const byId = (id) => document.getElementById(id);

export function put(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
}

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
export const count = (number) => whole.format(number);
export const brief = (number) => (number < 100000 ? whole.format(number) : short.format(number));

export function bytes(number) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (number >= 1024 && unit + 1 < units.length) {
    number /= 1024;
    unit += 1;
  }
  return `${unit === 0 || number >= 100 ? Math.round(number) : number.toFixed(1)} ${units[unit]}`;
}

export function duration(microseconds) {
  if (microseconds < 1000) return `${microseconds} µs`;
  if (microseconds < 10000) return `${(microseconds / 1000).toFixed(1)} ms`;
  if (microseconds < 1000000) return `${Math.round(microseconds / 1000)} ms`;
  if (microseconds < 120000000) return `${(microseconds / 1000000).toFixed(1)} s`;
  return `${Math.round(microseconds / 60000000)} min`;
}

// "2026-11-28 04:12:33" of milliseconds or of a text, in UTC.
export function time(moment, withMilliseconds) {
  const text = new Date(moment).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, withMilliseconds ? 23 : 19)}`;
}
export const clock = (moment) => new Date(moment).toISOString().slice(11, 23);

export function percent(part, all) {
  if (!all) return '0 %';
  const share = (100 * part) / all;
  return `${share > 0 && share < 10 ? share.toFixed(1) : Math.round(share)} %`;
}
