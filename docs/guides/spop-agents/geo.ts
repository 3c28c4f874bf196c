// Asks a service for the country of an address; when that is slow or away, the country is ZZ.
//   node geo.ts          listens
//   node geo.ts FOLDER   writes HAProxy's configuration for it
import { writeFileSync } from 'node:fs';
import { createAgent, haproxyFiles, message } from 'haverdict-spop';

const name = 'geo';
const listen = { path: process.env.AGENT_SOCKET ?? `/run/${name}/agent.sock` };
const SERVICE = process.env.GEO_SERVICE ?? 'http://127.0.0.1:8080/country/';
const deadlineMs = 200;
/** Bounds the memory: the country that was looked up first is forgotten first. */
const MOST_KNOWN = 100_000;
const known = new Map<string, string>();

async function countryOf(address: string, signal: AbortSignal): Promise<string> {
  const before = known.get(address);
  if (before !== undefined) return before;
  const response = await fetch(SERVICE + address, { signal });
  const country = (await response.text()).trim();
  if (!response.ok || !/^[A-Z]{2}$/.test(country))
    throw new Error(`${SERVICE}${address}: ${response.status} ${country}`);
  for (const first of known.keys()) {
    if (known.size < MOST_KNOWN) break;
    known.delete(first);
  }
  known.set(address, country);
  return country;
}

const agent = createAgent(
  {
    'find-country': message({ args: { ip: 'address' }, vars: { country: 'text' } }, async ({ args, set, signal }) => {
      set('country', args.ip === null ? 'ZZ' : await countryOf(args.ip, signal));
    }),
  },
  { deadlineMs, fallback: ({ set }) => set('country', 'ZZ') },
);

const [, , folder] = process.argv;
if (folder === undefined) {
  await agent.listen(listen);
  process.once('SIGTERM', () => void agent.close());
} else {
  const files = haproxyFiles({ name, listen, deadlineMs, messages: { 'find-country': { args: { ip: 'src' } } } });
  for (const [part, text] of Object.entries(files)) writeFileSync(`${folder}/${name}.${part}.cfg`, text);
}
