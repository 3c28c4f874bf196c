import type { IncomingMessage } from 'node:http';
import { posix } from 'node:path';
import { mark, pathPattern, THINGS } from './marks.ts';

/** What applications on Node and elsewhere take a request for, each in its way: a mark for whatever one of them serves. */
export function marksOf(request: IncomingMessage): string[] {
  const { url = '', headers, rawHeaders } = request;
  const host = headers.host ?? '';
  const cookies = valuesOf(rawHeaders, 'cookie').flatMap(cookieValues);
  return [
    ...THINGS.paths.filter((path) => pathsOf(url).some(isAt(path))).map((path) => mark(`path:${path}`)),
    ...THINGS.hosts.filter((name) => hostsOf(url, host).some(isNamed(name))).map((name) => mark(`host:${name}`)),
    ...(request.method === THINGS.method ? [mark(`method:${THINGS.method}`)] : []),
    ...(cookies.includes(THINGS.cookie.value) ? [mark('cookie')] : []),
    ...(valuesOf(rawHeaders, THINGS.key.name).includes(THINGS.key.value) ? [mark('key')] : []),
    ...(valuesOf(rawHeaders, THINGS.header.name).includes(THINGS.header.value) ? [mark('header')] : []),
    ...(valuesOf(rawHeaders, 'user-agent').includes(THINGS.ua) ? [mark('ua')] : []),
    ...(lastForwarded(rawHeaders) === THINGS.ip ? [mark('ip')] : []),
  ];
}

/** The paths that a request target is read as, as bytes. */
export function pathsOf(target: string): string[] {
  const absolute = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*(.*)$/is.exec(target);
  const own = absolute === null ? target : (absolute[1] ?? '').replace(/^(?!\/)/, '/');
  const raw = [own.replace(/\?.*/s, ''), own.replace(/[?#].*/s, '')];
  const parsed = URL.parse(target, 'http://ok.example')?.pathname ?? '';
  const read = new Set<string>();
  for (const path of [...raw, parsed]) {
    read.add(path);
    const decoded = decodedBytes(path);
    for (const spelled of [decoded, decoded.replaceAll('\\', '/'), decodedBytes(withoutParameters(path))])
      for (const cut of [spelled, spelled.replace(/\0.*/s, '')]) read.add(cut).add(posix.normalize(cut));
    read.add(decodedBytes(posix.normalize(path)));
  }
  return [...read];
}

/** As containers of servlets do it, before they decode. */
function withoutParameters(path: string): string {
  return path.replace(/;[^/]*/g, '');
}

function isAt(path: string): (read: string) => boolean {
  const pattern = PATTERNS.get(path);
  return (read) => pattern?.test(read) ?? false;
}

const PATTERNS = new Map(THINGS.paths.map((path) => [path as string, new RegExp(pathPattern(path))]));

/** The hosts that a request is read as being for, by its target and its Host header. */
export function hostsOf(target: string, host: string): string[] {
  const afterBracket = host.startsWith('[') ? host.indexOf(']') + 1 : 0;
  const port = host.indexOf(':', afterBracket);
  const absolute = /^[a-z][a-z\d+.-]*:\/\/([^/?#\\]*)/i.exec(target)?.[1];
  const read = [
    port < 0 ? host : host.slice(0, port), // as Express
    host.replace(/:\d*$/, ''),
    URL.parse(`http://${host}`)?.hostname,
    URL.parse(target, `http://${host}`)?.hostname, // as most do who write on node:http
    absolute?.replace(/^.*@/s, '').replace(/:\d*$/, ''),
  ];
  return read.filter((name) => name !== undefined).map((name) => name.toLowerCase().replace(/\.$/, ''));
}

function isNamed(name: string): (read: string) => boolean {
  if (name.startsWith('*')) return (read) => read.endsWith(name.slice(1)) && read.length >= name.length;
  return (read) => read === name;
}

/** All values that a cookie of this name may be read as having, whichever of them a library takes. */
function cookieValues(header: string): string[] {
  return header.split(';').flatMap((pair) => {
    const [name = '', ...rest] = pair.split('=');
    if (name.trim() !== THINGS.cookie.name) return [];
    const value = rest.join('=').trim();
    const bare = /^"(.*)"$/s.exec(value)?.[1] ?? value;
    return [value, bare, decodedText(bare), decodedText(value), ...(bare === value ? [] : [unescaped(bare)])];
  });
}

/** As Python's http.cookies reads what stands in quotes (RFC 2109, with octal numbers). */
function unescaped(quoted: string): string {
  return quoted.replace(/\\([0-3][0-7]{2}|.)/gs, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : code,
  );
}

/** The values of a header; as in CGI, where underscores and hyphens are one. */
function valuesOf(raw: readonly string[], name: string): string[] {
  return raw.flatMap((part, index) =>
    index % 2 === 0 && part.toLowerCase().replaceAll('_', '-') === name ? [(raw[index + 1] ?? '').trim()] : [],
  );
}

function lastForwarded(raw: readonly string[]): string | undefined {
  const last = valuesOf(raw, 'x-forwarded-for').join(',').split(',').at(-1)?.trim();
  return last?.replace(/^::ffff:/i, '');
}

function decodedBytes(text: string): string {
  return text.replace(/%[0-9a-f]{2}/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
}

function decodedText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
