// Questions to the desk, and what its answers mean.

export class Refused extends Error {
  constructor(status, message, body) {
    super(message);
    this.status = status;
    this.body = body || {};
  }
}

// What every POST says: no form of another page can (the desk asks for it).
const marked = { 'X-Gatebook-Desk': '1', 'Content-Type': 'application/json' };

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, Object.assign({ credentials: 'same-origin', cache: 'no-store' }, options));
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refused(0, 'The edge does not answer. Is the connection to it still open?');
  }
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, body.error || `refused (${answer.status})`, body);
}

const post = (path, body, signal) =>
  ask(path, { method: 'POST', headers: marked, body: JSON.stringify(body), signal });

export const me = async () => (await ask('/desk/api/me')).json();
export const health = async (signal) => (await ask('/desk/api/health', { signal })).json();
export const logIn = (name, password) => post('/desk/api/login', { name, password });
export const logOut = () => post('/desk/api/logout', {});

// `reason`: reveal, with it in the audit log; empty: as anybody may see it.
function search(kind, parameters, reason, signal) {
  if (reason) return post('/desk/api/reveal', Object.assign({ of: kind, reason }, parameters), signal);
  return ask(`/desk/api/${kind}?${new URLSearchParams(parameters)}`, { signal });
}
export async function find(kind, parameters, reason, signal) {
  return (await search(kind, parameters, reason, signal)).json();
}
export async function download(parameters, reason) {
  const answer = await search('export', parameters, reason);
  return {
    blob: await answer.blob(),
    visits: Number(answer.headers.get('X-Gatebook-Visits')),
    more: answer.headers.get('X-Gatebook-More') === 'yes',
  };
}

// Gives each line of an answer, parsed, as it comes.
export async function findLines(kind, parameters, reason, signal, onLine) {
  const answer = await search(kind, parameters, reason, signal);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
    const lines = text.split('\n');
    text = lines.pop();
    for (const line of lines) {
      const object = JSON.parse(line);
      if (object.error) throw new Refused(503, object.error);
      onLine(object);
    }
  }
}

export function live(where, on) {
  const source = new EventSource(`/desk/api/live?${new URLSearchParams(where ? { where } : {})}`);
  source.addEventListener('open', () => on.open());
  source.addEventListener('visit', (event) => on.visit(JSON.parse(event.data)));
  source.addEventListener('missed', (event) => on.missed(Number(event.data)));
  source.addEventListener('trouble', (event) => on.trouble(event.data));
  source.addEventListener('well', () => on.open());
  source.addEventListener('error', () => on.closed(source.readyState === EventSource.CLOSED));
  return source;
}
