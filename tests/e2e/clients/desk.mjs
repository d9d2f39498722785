// The desk in a real browser. usage: desk.mjs SCENARIO FACTS, a JSON object: browser, admin (a Unix socket) or
// tls (a port), plain (where visitors come), audit (a file), axe (a file), pictures (a directory; "": none).
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { Browser, forward } from './browser.mjs';

const scenario = process.argv[2];
const facts = JSON.parse(process.argv[3]);
let origin = `https://localhost:${facts.tls}`;
let tunnel = null;
if (facts.admin) {
  tunnel = await forward(facts.admin);
  origin = `http://localhost:${tunnel.port}`;
}

function visit(path, headers = {}) {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port: facts.plain, path, agent: false,
      headers: Object.assign({ Host: 'shop.example', 'X-Forwarded-For': '203.0.113.77' }, headers) }, (answer) => {
      answer.resume();
      answer.on('end', resolve);
    }).on('error', reject);
  });
}

const browser = await Browser.start(facts.browser);
const text = () => browser.run(() => document.querySelector('main').innerText);
const desk = (hash = '') => browser.go(`${origin}/desk/${hash}`);
const rows = (count) => browser.until((wanted) => document.querySelectorAll('.visits tbody tr').length === wanted && document.querySelectorAll('.visits tbody tr').length, count);
const press = (name) => browser.until((label) => {
  const found = [...document.querySelectorAll('button, a')].find((one) => one.innerText.trim() === label && one.offsetParent !== null);
  if (found) found.click();
  return Boolean(found);
}, name);
const audit = () => (existsSync(facts.audit) ? readFileSync(facts.audit, 'utf8').trim().split('\n').map((line) => JSON.parse(line)) : []);
// Until Redis has what was visited.
async function recorded(count) {
  await browser.until(async (wanted) => {
    const page = await (await fetch('/desk/api/visits?since=1h&limit=500')).json();
    return page.visits.length >= wanted;
  }, count);
}
async function picture(name) {
  if (facts.pictures) await browser.picture(`${facts.pictures}/${name}.png`);
}
async function faults(name) {
  if (!existsSync(facts.axe)) return;
  await browser.send('Runtime.evaluate', { expression: readFileSync(facts.axe, 'utf8') });
  const found = await browser.run(async () => {
    const result = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] });
    if (result.passes.length < 10) return ['it did not look'];
    return result.violations.filter((one) => ['serious', 'critical', 'moderate'].includes(one.impact))
      .map((one) => `${one.impact} ${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).slice(0, 3).join(' | ')}`);
  });
  assert.deepEqual(found, [], name);
}

const scenarios = {
  async look() {
    for (let i = 0; i < 3; ++i) await visit('/found');
    await visit('/other');
    await desk();
    await recorded(4);
    await desk('#view=overview');
    await browser.until(() => document.querySelectorAll('canvas').length >= 8);
    assert.match(await text(), /Visits\s*4/);
    // Wherever a chart is, its figures are a table, too, by which a keyboard filters.
    await browser.run(() => document.querySelectorAll('details').forEach((one) => { one.open = true; }));
    await picture('overview');
    await press('/found');
    await browser.until(() => document.querySelector('#where').value === 'host = "shop.example" and path = "/found"');
    await browser.until(() => /Visits\s*3/.test(document.querySelector('main').innerText));
    // A bar of a chart filters as well.
    await press('Clear');
    await browser.until(() => /Visits\s*4/.test(document.querySelector('main').innerText));
    const bar = await browser.run(() => {
      const canvas = [...document.querySelectorAll('canvas')].find((one) => one.getAttribute('aria-label').startsWith('Channels'));
      canvas.scrollIntoView({ block: 'center' });
      const place = Chart.getChart(canvas).getDatasetMeta(0).data[0].getCenterPoint();
      const box = canvas.getBoundingClientRect();
      return { x: box.x + place.x, y: box.y + place.y };
    });
    await browser.click(bar.x, bar.y);
    await browser.until(() => document.querySelector('#where').value === 'channel = "direct"');
    // A page's list, and what is wrong with a query.
    await desk('#view=visits&where=path %3D %22/other%22');
    await rows(1);
    await browser.run(() => { document.querySelector('#where').value = 'status >>= 4'; });
    await press('Show');
    assert.match(await browser.until(() => !document.querySelector('#slip').hidden && document.querySelector('#slip').textContent), /status >>= 4\n *\^/);
    // Saved queries.
    await browser.run(() => {
      const saved = document.querySelector('#saved');
      saved.value = [...saved.options].find((one) => one.text === 'others').value;
      saved.dispatchEvent(new Event('change'));
    });
    await rows(1);
    assert.match(await text(), /203\.0\.113\.0\/24/);
    assert.doesNotMatch(await text(), /203\.0\.113\.77/);
    // By keyboard: the first stop is the way past everything.
    await browser.go('about:blank');
    await desk('#view=visits');
    await rows(4);
    await browser.press('Tab');
    assert.equal(await browser.run(() => document.activeElement.className), 'skip');
    // All of a visit, and Escape closes it.
    await browser.run(() => document.querySelector('.visits tbody button').click());
    await browser.until(() => document.querySelector('#visit').open && /request_id/.test(document.querySelector('#visit').innerText));
    await picture('visit');
    await browser.press('Escape');
    await browser.until(() => !document.querySelector('#visit').open);
    const session = await browser.run(() => document.querySelector('.visits tbody td:last-child a').href);
    await browser.run(() => document.querySelector('.visits tbody td:last-child a').click());
    await browser.until(() => document.querySelectorAll('.timeline li').length >= 1);
    assert.match(session, /view=session/);
    await picture('session');
    await browser.run(() => [...document.querySelectorAll('main a')].find((one) => one.innerText === '203.0.113.0/24').click());
    await browser.until(() => /Sessions/.test(document.querySelector('main').innerText) && document.querySelectorAll('.visits tbody tr').length === 4);
    await picture('address');
    await desk('#view=health');
    await browser.until(() => /Redis/.test(document.querySelector('main').innerText) && /serving/.test(document.querySelector('main').innerText));
    await picture('health');
    const elsewhere = browser.requests.filter((url) => !url.startsWith(origin) && !url.startsWith('blob:') && url !== 'about:blank');
    assert.deepEqual(elsewhere, [], 'nobody else is asked for anything');
  },

  async live() {
    await visit('/before');
    await desk('#view=live&where=path ~ %22^/live%22');
    await browser.until(() => document.querySelector('.lamp').dataset.state === 'on');
    const begun = Date.now();
    await visit('/live/first');
    await visit('/dead');
    await rows(1);
    const taken = Date.now() - begun;
    console.log(`a live row after ${taken} ms`);
    assert.ok(taken < facts.patience, `took ${taken} ms`);
    await press('Pause');
    await visit('/live/second');
    await browser.until(() => /1 waiting/.test(document.querySelector('.livestate').innerText));
    await rows(1);
    await picture('live');
    await press('Go on');
    await rows(2);
    assert.match(await browser.run(() => document.querySelector('.visits tbody tr').innerText), /\/live\/second/);
  },

  async reveal() {
    await visit('/secret');
    await desk('#view=visits');
    await recorded(1);
    await desk('#view=visits&since=6h');
    await rows(1);
    await press('Reveal…');
    await browser.until(() => document.querySelector('#reason').open);
    await browser.run(() => { document.querySelector('#why').value = ' . '; });
    await press('Reveal');
    await browser.until(() => !document.querySelector('#why-slip').hidden);
    assert.deepEqual(audit(), [], 'nothing is shown for no reason');
    await browser.run(() => { document.querySelector('#why').value = 'incident 42'; });
    await picture('reason');
    await press('Reveal');
    await browser.until(() => /203\.0\.113\.77/.test(document.querySelector('main').innerText));
    await picture('revealed');
    assert.equal(audit().length, 1);
    assert.equal(audit()[0].why, 'incident 42');
    assert.match(audit()[0].what, /^visits, since /);
    // Another question needs the reason again.
    await press('Overview');
    await browser.until(() => document.querySelectorAll('canvas').length >= 8);
    assert.equal(await browser.run(() => document.querySelector('#shown').hidden), true);
    await browser.run(() => document.querySelectorAll('details').forEach((one) => { one.open = true; }));
    assert.doesNotMatch(await text(), /203\.0\.113\.77/);
    // Who asks for more than is shown is told how.
    await desk('#view=visits&since=6h&where=ip %3D 203.0.113.77');
    await browser.until(() => /finer than what is shown without a reason/.test(document.querySelector('main').innerText));
    assert.equal(audit().length, 1);
  },

  async hostile() {
    const script = '<script>window.harmed=1</script><img src=x onerror="window.harmed=1">';
    await visit(`/${encodeURIComponent(script)}?q=${encodeURIComponent(script)}`, { 'User-Agent': script, Referer: `https://evil.example/${script}` });
    await visit('/x', { 'User-Agent': '=cmd|\'/C calc\'!A0', Referer: 'javascript:window.harmed=1//' });
    await visit(`/${'long'.repeat(300)}`, { 'User-Agent': `${'<b>'.repeat(100)}`, Host: '"><script>' });
    await visit('/rtl', { 'User-Agent': Buffer.from('\u202egnp.exe\u200b', 'utf8').toString('latin1') });
    await desk();
    await recorded(3);
    for (const view of ['overview', 'visits']) {
      await desk(`#view=${view}&since=6h`);
      await browser.until((name) => document.querySelectorAll(name === 'overview' ? 'canvas' : '.visits tbody tr').length >= 3, view);
      await browser.run(() => document.querySelectorAll('details').forEach((one) => { one.open = true; }));
      await picture(`hostile-${view}`);
    }
    assert.match(await text(), /script/);
    const count = await browser.run(() => document.querySelectorAll('.visits tbody tr').length);
    for (let i = 0; i < count; ++i) {
      await browser.run((n) => document.querySelectorAll('.visits tbody tr')[n].querySelector('button').click(), i);
      await browser.until(() => document.querySelector('#visit').open);
      await browser.run(() => document.querySelector('#visit').close());
    }
    await browser.run(() => document.querySelector('.visits tbody td:last-child a').click());
    await browser.until(() => document.querySelectorAll('.timeline li').length >= 1);
    assert.equal(await browser.run(() => window.harmed), undefined);
    assert.equal(await browser.run(() => document.querySelectorAll('main script, main img, main iframe').length), 0);
    assert.equal(await browser.run(() => /[\u202a-\u202e\u2066-\u2069\u200b]/.test(document.body.innerText)), false);
  },

  async login() {
    await visit('/seen');
    await desk('#view=visits');
    await browser.until(() => document.querySelector('form.login'));
    assert.equal(await browser.run(async () => (await fetch('/desk/api/visits')).status), 401);
    assert.doesNotMatch(await browser.run(() => document.body.innerText), /seen|203\.0/);
    await faults('login');
    await picture('login');
    const enter = (password) => browser.run((given) => {
      document.querySelector('.login [name=name]').value = 'alice';
      document.querySelector('.login [name=password]').value = given;
      document.querySelector('form.login').requestSubmit();
    }, password);
    await enter('wrong password');
    await browser.until(() => /name or the password is wrong/.test(document.querySelector('main').innerText));
    await enter('correct horse');
    await browser.until(() => /alice/.test(document.querySelector('#reader').textContent));
    await browser.until(() => document.querySelectorAll('.visits tbody tr').length > 0);
    assert.equal(await browser.run(() => document.cookie), '', 'no script reads the login');
    await press('Log out');
    await browser.until(() => document.querySelector('form.login'));
    assert.equal(await browser.run(async () => (await fetch('/desk/api/visits')).status), 401);
    assert.doesNotMatch(await browser.run(() => document.body.innerText), /\/seen/);
  },

  async faults() {
    if (!existsSync(facts.axe)) {
      console.log(`${facts.axe} is not here (scripts/fetch-axe brings it): no look for faults`);
      return;
    }
    for (let i = 0; i < 3; ++i) await visit('/page');
    await desk();
    await recorded(3);
    const session = await browser.run(async () => (await (await fetch('/desk/api/visits?since=1h')).json()).visits[0].session);
    const ready = {
      'view=overview': () => document.querySelectorAll('canvas').length >= 8,
      'view=visits': () => document.querySelectorAll('.visits tbody tr').length === 3,
      'view=live': () => document.querySelector('.lamp')?.dataset.state === 'on',
      'view=health': () => document.querySelectorAll('.card').length > 5,
      [`view=session&id=${session}`]: () => document.querySelectorAll('.timeline li').length > 0,
      'view=address&ip=203.0.113.0/24': () => document.querySelectorAll('.visits tbody tr').length === 3,
    };
    for (const [dark, width] of [[false, 1280], [true, 1280], [false, 360], [true, 360]]) {
      await browser.look({ dark, width });
      for (const [hash, condition] of Object.entries(ready)) {
        await desk(`#since=6h&${hash}`);
        await browser.until(condition);
        const name = `${hash.split('&')[0].slice(5)}-${dark ? 'dark' : 'light'}-${width}`;
        await picture(name);
        assert.ok(await browser.run(() => document.documentElement.scrollWidth <= innerWidth), `${name} is wider than the screen`);
        await faults(name);
      }
      await browser.run(() => document.querySelector('#reason').showModal());
      await faults('reason');
      await browser.run(() => document.querySelector('#reason').close());
    }
  },
};

try {
  await scenarios[scenario]();
  assert.deepEqual(browser.complaints, [], 'nothing is thrown and no policy is broken');
} catch (error) {
  console.error(error);
  console.error(browser.complaints);
  process.exitCode = 1;
}
await browser.end();
if (tunnel) tunnel.server.close();
