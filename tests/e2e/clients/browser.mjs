// A real Chromium, driven over its own protocol (CDP) by a pipe: no library, no port.
//
// usage: const browser = await Browser.start('/usr/lib/chromium/chromium-headless-shell');
// What a page's script throws, what its policy forbids and what is logged as an error stands in `complaints`.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const kPatience = 30000;

export class Browser {
  static async start(program) {
    const browser = new Browser();
    browser.profile = mkdtempSync(path.join(os.tmpdir(), 'gatebook-browser-'));
    browser.process = spawn(program, ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars',
      '--ignore-certificate-errors', `--user-data-dir=${browser.profile}`, '--remote-debugging-pipe', 'about:blank'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    browser.waiting = new Map();
    browser.complaints = [];
    browser.requests = [];
    browser.number = 0;
    let text = '';
    browser.process.stdio[4].on('data', (piece) => {
      text += piece;
      for (let end = text.indexOf('\0'); end >= 0; end = text.indexOf('\0')) {
        browser.take(JSON.parse(text.slice(0, end)));
        text = text.slice(end + 1);
      }
    });
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
    browser.session = (await browser.send('Target.attachToTarget', { targetId, flatten: true })).sessionId;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.send(`${domain}.enable`);
    return browser;
  }

  take(message) {
    if (message.id) {
      const { resolve, reject } = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (message.error) reject(new Error(message.error.message));
      else resolve(message.result);
    } else if (message.method === 'Log.entryAdded') {
      const { entry } = message.params;
      // An answer of 401 or 403 is what is tested.
      if (entry.level === 'error' && entry.source !== 'network') this.complaints.push(`${entry.source}: ${entry.text}`);
    } else if (message.method === 'Runtime.exceptionThrown') {
      const { exceptionDetails } = message.params;
      this.complaints.push(`${exceptionDetails.text} ${exceptionDetails.exception?.description || ''}`);
    } else if (message.method === 'Runtime.consoleAPICalled' && message.params.type === 'error') {
      this.complaints.push(JSON.stringify(message.params.args));
    } else if (message.method === 'Network.requestWillBeSent') {
      this.requests.push(message.params.request.url);
    } else if (message.method === 'Page.javascriptDialogOpening') {
      this.complaints.push(`a script opened a dialog: ${message.params.message}`);
    }
  }

  send(method, params = {}) {
    this.number += 1;
    const id = this.number;
    const done = new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      setTimeout(() => reject(new Error(`${method}: no answer`)), kPatience).unref();
    });
    this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId: this.session })}\0`);
    return done;
  }

  async go(url) {
    await this.send('Page.navigate', { url });
    await this.until(() => document.readyState === 'complete');
  }
  async look({ width = 1280, height = 900, dark = false }) {
    await this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 });
    await this.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }] });
  }
  // Runs a function in the page, with arguments that JSON can say.
  async run(action, ...given) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression: `(${action})(...${JSON.stringify(given)})`, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description || exceptionDetails.text);
    return result.value;
  }
  async until(condition, ...given) {
    const deadline = Date.now() + kPatience;
    for (;;) {
      const value = await this.run(condition, ...given).catch(() => undefined);
      if (value) return value;
      if (Date.now() > deadline) throw new Error(`never: ${condition} ${JSON.stringify(given)}\n${await this.run(() => document.body.innerText)}`);
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
  }
  async press(key, code = key) {
    for (const type of ['keyDown', 'keyUp']) await this.send('Input.dispatchKeyEvent', { type, key, code, windowsVirtualKeyCode: { Tab: 9, Enter: 13, Escape: 27 }[key], text: key === 'Enter' && type === 'keyDown' ? '\r' : undefined });
  }
  async click(x, y) {
    for (const type of ['mousePressed', 'mouseReleased']) await this.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 });
  }
  async picture(file) {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
    writeFileSync(file, Buffer.from(data, 'base64'));
  }
  async end() {
    const gone = new Promise((resolve) => { this.process.on('exit', resolve); });
    this.session = undefined;
    this.send('Browser.close').catch(() => {});
    await gone;
    rmSync(this.profile, { recursive: true, force: true });
  }
}

// As `ssh -L` does: a port of this machine that leads to a Unix socket.
export function forward(socket) {
  const server = net.createServer((here) => {
    const there = net.connect(socket);
    here.pipe(there);
    there.pipe(here);
    for (const [one, other] of [[here, there], [there, here]]) one.on('error', () => other.destroy()).on('close', () => other.destroy());
  });
  return new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve({ port: server.address().port, server })); });
}
