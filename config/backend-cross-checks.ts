import { isFunctionUrl, regionIn } from './aws-region.ts';
import type { Finding } from './findings.ts';
import type { ConfigFile } from './schema.ts';

type Backend = ConfigFile['backend'];

const LOOPBACK = /^(127(\.\d+){3}|\[::1\]|(.+\.)?localhost)$/;

/** Checks the function URLs against how they are called. `written` is the file as the operator wrote it. */
export function backendCrossChecks(backend: Backend, written: unknown): Finding[] {
  const { url, urls, region } = backend;
  const targets =
    url === undefined ? (urls ?? []).map((each, index) => target(each, 'urls', index)) : [target(url, 'url')];
  return [
    ...targets.flatMap((each) => plainHttp(each, backend.auth)),
    ...missingAuth(targets, written),
    ...regionMismatch(targets, region),
  ];
}

interface Target {
  readonly url: string;
  readonly path: readonly PropertyKey[];
}

function target(url: string, ...place: readonly PropertyKey[]): Target {
  return { url, path: ['backend', ...place] };
}

function plainHttp({ url, path }: Target, auth: Backend['auth']): Finding[] {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'http:') return [];
  const https = url.replace(/^http:/i, 'https:');
  if (isFunctionUrl(url)) return [wrong(path, `must be https, like all function URLs: write ${https}`)];
  if (auth === 'none' || LOOPBACK.test(hostname)) return [];
  const why = 'signed calls carry the session token of the credentials, which plain http exposes to the network';
  return [wrong(path, `must be https if auth is iam and the host is not loopback, since ${why}: write ${https}`)];
}

/** AWS refuses unsigned calls of a function URL with 403 unless the URL is public. */
function missingAuth(targets: readonly Target[], written: unknown): Finding[] {
  const found = targets.find(({ url }) => isFunctionUrl(url));
  if (found === undefined || authIn(written) !== undefined) return [];
  const message = `must be set for a function URL: iam to sign calls, or none if ${found.url} is public`;
  return [wrong(['backend', 'auth'], message)];
}

function authIn(written: unknown): unknown {
  return (written as { backend?: { auth?: unknown } } | undefined)?.backend?.auth; // the schema has validated it
}

/** The region in a URL takes precedence, so this setting would have no effect. */
function regionMismatch(targets: readonly Target[], region: string | undefined): Finding[] {
  const regions = [...new Set(targets.map(({ url }) => regionIn(url)))];
  const first = regions[0];
  if (region === undefined || first === undefined || regions.includes(undefined) || regions.includes(region)) return [];
  const what = regions.length > 1 ? `the URLs name ${regions.join(', ')}` : `the URL names ${first}`;
  return [wrong(['backend', 'region'], `must be omitted or ${first}, since ${what}, got "${region}"`)];
}

function wrong(path: readonly PropertyKey[], message: string): Finding {
  return { path, part: 'value', message };
}
