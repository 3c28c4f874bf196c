import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { Agent, type Dispatcher, request } from 'undici';
import { version } from '../../agent/version.ts';
import { printable } from '../../contract/printable.ts';
import { FetchError, toFetchError } from './fetch-error.ts';
import { externalOnlyConnector } from './internal-addresses.ts';
import { bodyOf } from './response-body.ts';
import type { Source, SourceOptions } from './source.ts';

const MAX_REDIRECTS = 5;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const CONNECT_TIMEOUT_MS = 10_000;
/** The longest wait for the first byte of an answer, and between its chunks. */
const SILENCE_TIMEOUT_MS = 30_000;
/** The longest time for the whole answer. */
const FETCH_TIMEOUT_MS = 10 * 60_000;
const PATH_DIGITS = 8;

/** Fetches a URL, unless the server answers that it is unchanged. */
export async function openUrl(
  text: string,
  { signal, ...rest }: SourceOptions,
  timeoutMs = FETCH_TIMEOUT_MS,
): Promise<Source> {
  const url = parseUrl(text);
  const name = redactedUrl(url);
  const options = { ...rest, signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]) };
  const agent = new Agent({
    connect: options.inside === true ? { timeout: CONNECT_TIMEOUT_MS } : externalOnlyConnector(CONNECT_TIMEOUT_MS),
    headersTimeout: SILENCE_TIMEOUT_MS,
    bodyTimeout: SILENCE_TIMEOUT_MS,
  });
  try {
    return await fetched(url, name, options, agent);
  } catch (error) {
    await agent.destroy();
    throw toFetchError(name, error);
  }
}

/** The target of a redirect. */
export function redirectedUrl(from: URL, location: unknown): URL {
  const to =
    typeof location === 'string' && URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (to === undefined) throw new FetchError('redirects without a valid location');
  if (from.protocol === 'https:' && to.protocol === 'http:')
    throw new FetchError(`redirects from https to ${redactedUrl(to)}, which can be changed in transit`);
  return checkedUrl(to);
}

async function fetched(first: URL, name: string, options: SourceOptions, agent: Agent): Promise<Source> {
  let url = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await get(url, options, agent);
    if (!REDIRECTS.includes(response.statusCode))
      return sourceOf(response, { name, ending: posix.extname(first.pathname) }, options, agent);
    await response.body.dump();
    url = redirectedUrl(url, response.headers.location);
  }
  throw new FetchError(`redirects more than ${MAX_REDIRECTS} times`);
}

function get(url: URL, { etag, lastModified, signal }: SourceOptions, agent: Agent): Promise<Dispatcher.ResponseData> {
  return request(url, {
    dispatcher: agent,
    signal: signal ?? null,
    headers: {
      'user-agent': `haverdict/${version()}`,
      'accept-encoding': 'gzip',
      ...(etag !== undefined && { 'if-none-match': etag }),
      ...(lastModified !== undefined && { 'if-modified-since': lastModified }),
    },
  });
}

async function sourceOf(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  called: { readonly name: string; readonly ending: string },
  { etag, lastModified }: SourceOptions,
  agent: Agent,
): Promise<Source> {
  const isConditional = etag !== undefined || lastModified !== undefined;
  if (statusCode === 304 && isConditional) {
    await agent.destroy();
    return { unchanged: true, summary: '304, not changed since the last fetch' };
  }
  if (statusCode !== 200) throw new FetchError(refusal(statusCode, headers['retry-after']));
  const validators = { etag: textOf(headers.etag), lastModified: textOf(headers['last-modified']) };
  return {
    unchanged: false,
    bytes: closing(bodyOf(called.name, body, headers), agent),
    ...called,
    ...validators,
    summary: summaryOf(headers['content-length'], headers['content-encoding'], validators),
  };
}

async function* closing(bytes: AsyncIterable<Uint8Array>, agent: Agent): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } finally {
    await agent.destroy();
  }
}

function parseUrl(text: string): URL {
  if (!URL.canParse(text))
    throw toFetchError(`${text.slice(0, text.indexOf(':'))}://…`, new FetchError('is not a valid URL'));
  const url = new URL(text);
  try {
    return checkedUrl(url);
  } catch (error) {
    throw toFetchError(redactedUrl(url), error);
  }
}

function checkedUrl(url: URL): URL {
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new FetchError(`leads to ${printable(url.protocol)}//, only http and https are fetched`);
  if (url.username !== '' || url.password !== '')
    throw new FetchError('contains credentials: fetch it with a client that keeps passwords, and pipe it to "-"');
  return url;
}

/** A URL for messages and the table: users, paths and queries can contain keys. A digest distinguishes paths. */
function redactedUrl({ protocol, host, pathname }: URL): string {
  const path = createHash('sha256').update(pathname).digest('hex').slice(0, PATH_DIGITS);
  return printable(`${protocol}//${host}/${pathname === '/' ? '' : `…${path}`}`, 200);
}

function refusal(status: number, retryAfter: unknown): string {
  const later = typeof retryAfter === 'string' ? `, and to try again after ${retryAfterText(retryAfter)}` : '';
  if (status === 429) return `answered 429: too many requests${later}`;
  if (status === 404 || status === 410) return `answered ${status}: no such list`;
  if (status === 401 || status === 403) return `answered ${status}: access denied, or a key is missing`;
  return `answered ${status}${later}`;
}

function retryAfterText(value: string): string {
  return /^\d{1,9}$/.test(value) ? `${value} s` : printable(value, 40);
}

function summaryOf(
  length: unknown,
  encoding: unknown,
  { etag, lastModified }: { readonly etag: string | undefined; readonly lastModified: string | undefined },
): string {
  return [
    '200',
    ...(length === undefined
      ? []
      : [`${printable(String(length), 20)} bytes${encoding === undefined ? '' : ' compressed'}`]),
    ...(etag === undefined ? [] : [`ETag ${printable(etag)}`]),
    ...(lastModified === undefined ? [] : [`Last-Modified ${printable(lastModified)}`]),
  ].join(', ');
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
