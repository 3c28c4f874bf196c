import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where Chromium is on this machine; undefined if it is not. */
export const CHROMIUM = PROGRAMS.find((path) => existsSync(path));

/** Keys that are more than their text. */
const KEYS = {
  Enter: { code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' },
  Tab: { code: 'Tab', windowsVirtualKeyCode: 9 },
  Escape: { code: 'Escape', windowsVirtualKeyCode: 27 },
  ' ': { code: 'Space', windowsVirtualKeyCode: 32, text: ' ' },
  '/': { code: 'Slash', windowsVirtualKeyCode: 191, text: '/' },
  ArrowDown: { code: 'ArrowDown', windowsVirtualKeyCode: 40 },
} as const;
/** More than any page here has places to go to. */
const MAX_TABS = 200;

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** One tab, driven over the DevTools protocol. */
export class Page {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #listeners = new Set<(reply: Reply) => void>();
  #lastId = 0;
  /** Errors of scripts and of the console, and what the page's policy kept from loading. */
  readonly complaints: string[] = [];
  /** The addresses of everything it asked for. */
  readonly requested: string[] = [];

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#receive(JSON.parse(String(data)) as Reply)); // the protocol
  }

  async send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#lastId;
    const replied = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await replied;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  async goTo(url: string): Promise<void> {
    const loaded = this.#next('Page.loadEventFired');
    await this.send('Page.navigate', { url });
    await loaded;
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const reply = await this.send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    const { result, exceptionDetails } = reply as { result: { value: T }; exceptionDetails?: { text: string } }; // the protocol
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  }

  /** Resolves once an expression holds. */
  async until(expression: string, timeoutMs = 10_000): Promise<void> {
    const script = `new Promise((resolve, reject) => {
      const endMs = Date.now() + ${timeoutMs};
      const look = () => (${expression}) ? resolve() : Date.now() > endMs ? reject('it never held') : setTimeout(look, 50);
      look();
    })`;
    await this.evaluate(script);
  }

  /** Types at the place that has the focus. */
  async type(text: string): Promise<void> {
    await this.send('Input.insertText', { text });
  }

  async press(key: keyof typeof KEYS): Promise<void> {
    for (const type of ['keyDown', 'keyUp']) await this.send('Input.dispatchKeyEvent', { type, key, ...KEYS[key] });
  }

  /** Goes on with the key Tab until the focus is on what a selector names. */
  async tabTo(selector: string): Promise<void> {
    const isThere = `document.activeElement?.matches(${JSON.stringify(selector)}) ?? false`;
    for (let tabs = 0; !(await this.evaluate<boolean>(isThere)); tabs++) {
      if (tabs === MAX_TABS) throw new Error(`the key Tab does not lead to ${selector}`);
      await this.press('Tab');
    }
  }

  /** Chooses a file, as in the dialog of a field for files. */
  async choose(selector: string, file: string): Promise<void> {
    const { root } = (await this.send('DOM.getDocument')) as { root: { nodeId: number } }; // the protocol
    const { nodeId } = await this.send('DOM.querySelector', { nodeId: root.nodeId, selector });
    await this.send('DOM.setFileInputFiles', { nodeId, files: [file] });
  }

  async resize(width: number, height: number, scale = 1): Promise<void> {
    await this.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: scale,
      mobile: width < 600,
    });
  }

  /** What fits, as a WebP. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.send('Page.captureScreenshot', { format: 'webp', quality: 80 });
    return Buffer.from(String(data), 'base64');
  }

  #next(method: string): Promise<void> {
    return new Promise((resolve) => {
      const listener = (reply: Reply) => {
        if (reply.method !== method) return;
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }

  #receive(reply: Reply): void {
    if (reply.id !== undefined) {
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
      return;
    }
    const { method, params = {} } = reply;
    if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(params));
    if (method === 'Log.entryAdded') this.complaints.push(JSON.stringify(params));
    if (method === 'Runtime.consoleAPICalled') this.complaints.push(JSON.stringify(params));
    if (method === 'Network.requestWillBeSent')
      this.requested.push((params as { request: { url: string } }).request.url); // the protocol
    for (const listener of this.#listeners) listener(reply);
  }
}

/** A fresh Chromium with one empty tab, gone at the end of the test. */
export async function openPage(t: { after(clean: () => void | Promise<void>): void }): Promise<Page> {
  if (CHROMIUM === undefined) throw new Error('there is no Chromium here: apt-get install chromium');
  const profile = mkdtempSync(join(tmpdir(), 'haverdict-chromium-'));
  const flags = [
    '--headless=new',
    '--remote-debugging-port=0',
    '--no-first-run',
    '--disable-gpu',
    '--disable-dev-shm-usage',
  ];
  // As root it runs without a sandbox or not at all; it sees nothing but our own page.
  if (process.getuid?.() === 0) flags.push('--no-sandbox');
  const child = spawn(CHROMIUM, [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });
  const browser = await debuggerOf(child.stderr);
  const response = await fetch(`http://${new URL(browser).host}/json/list`);
  const tabs = (await response.json()) as { type: string; webSocketDebuggerUrl: string }[]; // the protocol
  const tab = tabs.find(({ type }) => type === 'page');
  if (tab === undefined) throw new Error('Chromium has no tab');
  const socket = new WebSocket(tab.webSocketDebuggerUrl);
  await once(socket, 'open');
  t.after(() => socket.close());
  const page = new Page(socket);
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.send(`${domain}.enable`);
  return page;
}

/** Chromium tells where it can be reached among its complaints about the host. */
async function debuggerOf(stderr: NodeJS.ReadableStream): Promise<string> {
  const said: string[] = [];
  for await (const line of createInterface({ input: stderr })) {
    const [, url] = /^DevTools listening on (\S+)/.exec(line) ?? [];
    if (url !== undefined) {
      stderr.resume();
      return url;
    }
    said.push(line);
  }
  throw new Error(`Chromium did not start: ${said.join('\n')}`);
}
