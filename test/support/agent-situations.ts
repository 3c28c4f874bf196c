import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../dev/free-port.ts';
import { type Site, startSite } from '../../dev/guarded-site.ts';
import { LIST, UpdatesFunction } from './updates-function.ts';

/** An agent as it runs behind a real HAProxy, and where its page is. */
export interface Situation {
  readonly url: string;
}

interface Traffic {
  readonly perSecond: number;
  /** The last three bytes of the address of the nth visitor. */
  from(nth: number): string;
}

/** For how long there are visitors before anybody looks: a minute for a picture of it. */
const TRAFFIC_MS = process.env.SCREENSHOTS === undefined ? 4_000 : 62_000;
/** Long, for machines that do other things too. */
const DEADLINE_MS = 1000;
/** The agents of pictures are on a host with another name than that of who takes them. */
const HOST = `--import=data:text/javascript,${encodeURIComponent(
  "import os from 'node:os';import{syncBuiltinESMExports}from'node:module';os.hostname=()=>'haproxy-1';syncBuiltinESMExports();",
)}`;

const VISITORS: Traffic = { perSecond: 40, from: (nth) => `8.${nth % 7}.${1 + ((nth * 13) % 60)}` };
const SOME_LISTED: Traffic = {
  ...VISITORS,
  from: (nth) => (nth % 9 === 0 ? `9.1.${1 + (nth % 40)}` : VISITORS.from(nth)),
};
const EVER_NEW: Traffic = { perSecond: 40, from: (nth) => `10.${(nth >> 7) & 127}.${1 + (nth & 127)}` };
/** While the visitors come as before. */
const ATTACKERS: Traffic = {
  perSecond: 200,
  from: (nth) => (nth % 5 === 0 ? VISITORS.from(nth) : `66.${((nth % 5) * (nth % 7)) % 23}.${1 + ((nth * nth) % 29)}`),
};

/** Each is entered by what happens on real hosts. */
export const SITUATIONS = {
  async healthy(t) {
    const { site, url } = await start(t, { workers: 2, updates: { mode: 'mirror', pollMs: 200 } });
    await send(t, site, SOME_LISTED);
    return { url };
  },
  async 'under attack'(t) {
    const { site, url } = await start(t, { updates: { mode: 'mirror', pollMs: 200 } });
    await (await send(t, site, SOME_LISTED, TRAFFIC_MS / 2))();
    await send(t, site, ATTACKERS, TRAFFIC_MS / 2);
    return { url };
  },
  async degraded(t) {
    const { site, url, backend } = await start(t, { policy: 'open' });
    await (await send(t, site, SOME_LISTED, TRAFFIC_MS / 2))();
    await backend.close();
    await send(t, site, EVER_NEW, TRAFFIC_MS / 2);
    return { url };
  },
  async behind(t) {
    const { site, url } = await start(t, { updates: { mode: 'invalidate' } }, (backend) =>
      backend.answer(() => (response) => response.writeHead(503).end('{}')),
    );
    await send(t, site, VISITORS, 2_000);
    return { url };
  },
  async empty(t) {
    return await start(t, {});
  },
} satisfies Record<string, (t: TestContext) => Promise<Situation>>;

async function start(t: TestContext, config: object, prepare: (backend: UpdatesFunction) => void = () => {}) {
  const backend = await UpdatesFunction.start();
  let isOpen = true;
  const close = async () => {
    if (isOpen) await backend.close();
    isOpen = false;
  };
  t.after(close);
  const deny = (subject: string, reason: string) => backend.put({ subject, list: LIST, action: 'deny', reason });
  await deny('ip:127.9.1.0/24', 'scraper');
  for (let third = 0; third < 23; third++) await deny(`ip:127.66.${third}.0/24`, third % 3 === 0 ? 'botnet' : 'abuse');
  await backend.build();
  prepare(backend);
  const admin = { listen: `tcp://127.0.0.1:${await freePort()}` };
  const site = await startSite({
    backendUrl: backend.url,
    config: { deadlineMs: DEADLINE_MS, admin, ...config },
    ...(process.env.SCREENSHOTS !== undefined && { env: { NODE_OPTIONS: HOST } }),
  });
  t.after(() => site.stop());
  return { site, url: admin.listen.replace('tcp:', 'http:'), backend: { close } };
}

/** Visitors come at this rate until the function that it resolves with is called, for so long before it resolves. */
async function send(t: TestContext, site: Site, { perSecond, from }: Traffic, forMs = TRAFFIC_MS) {
  let isOver = false;
  const startedMs = performance.now();
  const visits = (async () => {
    for (let nth = 0; !isOver; nth++) {
      const dueInMs = startedMs + (nth * 1000) / perSecond - performance.now();
      if (dueInMs > 1) await pause(dueInMs);
      site.visit(`127.${from(nth)}`).catch(() => {}); // a site that is closing
    }
  })();
  const stop = () => {
    isOver = true;
    return visits;
  };
  t.after(stop);
  await pause(forMs);
  return stop;
}
