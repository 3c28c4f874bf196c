import fc from 'fast-check';
import type { z } from 'zod';
import { DENY_STATUSES } from '../../contract/actions.ts';
import { definitionOf } from './schema-walk.ts';

type Form = fc.Arbitrary<unknown>;

const word = (characters: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength });
const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789';
const LETTERS = `${LOWER}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;

/** What YAML would take for something else than text. */
const TREACHEROUS = ['null', 'true', 'no', '1e3', '0x10', '12', '1.0', '2026-01-01', '.inf', '-0', '0o17', '1_000'];

const folder = fc.constantFrom('/run', '/srv/haverdict', '/var/lib/x.y');
const absolute = fc.tuple(folder, word(`${LETTERS}_.@:+-`, 1, 12)).map(([place, name]) => `${place}/s${name}`);
const anyPath = fc
  .tuple(folder, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }))
  .filter(([, name]) => !/[\p{Cc}\p{Cs}]/u.test(name))
  .map(([place, name]) => `${place}/${name}`);
const port = fc.integer({ min: 0, max: 65_535 });
const host = fc.oneof(
  fc.ipV4(),
  fc.domain(),
  fc.constant('localhost'),
  fc.ipV6().map((address) => `[${address}]`),
);
const expression = fc.oneof(
  fc.constantFrom('src', 'req.hdr(host),lower', 'path', 'var(txn.x),field(1,:)', 'fc_rtt', 'lua.mine(a,b)'),
  word(`${LETTERS}!$%&()*+,-./:;<=>?@[]^_{|}~\``, 1, 30).map((text) => `str(${text.replaceAll(/[()[\],]/g, '')})`),
);
const condition = fc.oneof(
  fc.constantFrom('{ method POST }', '!{ src 10.0.0.0/8 } { method POST }', 'a || b: c - d'),
  word(`${LETTERS} {}:|!&*?-`, 1, 120).map((text) => `{ x }${text}`),
);

/** For each text by what it must be: our own rules stand in code, where nothing can be read off them. */
const TEXTS: readonly (readonly [mustBe: RegExp, form: Form])[] = [
  [
    /^tcp:/,
    fc.oneof(
      fc.tuple(host, port).map(([name, at]) => `tcp://${name}:${at}`),
      absolute.map((path) => `unix:${path}`),
    ),
  ],
  [/^an absolute path of at most \d+ bytes/, absolute],
  [/^three octal digits/, fc.tuple(fc.constantFrom('', '0'), word('0246', 3, 3)).map((parts) => parts.join(''))],
  [/^a name or a numeric ID/, fc.oneof(word(`${LETTERS}_`, 1, 20), fc.constantFrom('1000', '007', 'null'))],
  [
    /^an http or https URL/,
    fc
      .tuple(fc.constantFrom('http', 'https'), fc.domain(), word(LETTERS, 1, 9))
      .map(([scheme, name, path]) => `${scheme}://${name}/${path}`),
  ],
  [/^a region/, fc.constantFrom('eu-central-1', 'us-gov-west-1', 'ap-southeast-3')],
  [/^a list name/, fc.oneof(word(LOWER, 1, 12), fc.constantFrom('null', 'true', '12', '1.0', '007'))],
  [/^an absolute ASCII path/, absolute],
  [/^an absolute path$/, anyPath],
  [/^an absolute path without/, word(`${LETTERS}_.-`, 1, 20).map((name) => `/var/${name}`)],
  [/^the path of a module/, word(`${LETTERS}_ äé./'"#:`, 1, 20).map((name) => `./${name.replaceAll('//', '/')}x.mjs`)],
  [
    /^1 to \d+ characters of A-Z a-z 0-9 _ \.$/,
    fc.oneof(word(`${LETTERS}_.`, 1, 12), fc.constantFrom('12', '1.0', 'null')),
  ],
  [/^1 to 12 characters of a-z 0-9 _$/, word(`${LOWER}_`, 1, 12)],
  [/^one line of ASCII/, condition],
  [/^a path like/, fc.constantFrom('/login', '/admin/*', '/a%20b', '/')],
  [/^a host without/, fc.constantFrom('haproxy-1.example', '[2001:db8::1]', '192.0.2.1')],
  [/^a host like/, fc.constantFrom('admin.example', '*.example', '[2001:db8::1]', '192.0.2.1')],
  [/^a kind/, fc.constantFrom('ip', 'key', 'ua', 'header.x-a', 'cookie.null')],
  [/^one HAProxy sample expression/, expression],
  [/^a HAProxy (backend|frontend) name/, word(`${LETTERS}_.-`, 1, 12)],
  [/^a header name/, word(LETTERS, 1, 12).map((name) => `X-${name}`)],
  [/^a content type/, fc.constantFrom('text/html', 'application/problem+json', 'text/plain; charset=utf-8')],
  [/^an address or a network/, fc.constantFrom('192.0.2.7', '10.0.0.0/8', '2001:db8::/32', '::1')],
  [
    /^a duration/,
    fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.constantFrom(...'smhd')).map((parts) => parts.join('')),
  ],
];

const KEYS: Readonly<Record<string, Form>> = {
  messages: fc.oneof(
    word(`${LETTERS}_.-`, 1, 12),
    fc.constantFrom(...TREACHEROUS, '__proto__', 'constructor', 'version', 'mode'),
  ),
  subjects: fc.constantFrom(
    'ip',
    'host',
    'path',
    'method',
    'country',
    'asn',
    'ua',
    'ja4',
    'key',
    'header.x-a',
    'cookie.null',
  ),
  arguments: fc
    .oneof(word(`${LETTERS}_.-`, 1, 12), fc.constantFrom(...TREACHEROUS, 'mode', 'owner'))
    .map((name) => `a${name}`),
  denyPages: fc.constantFrom(...DENY_STATUSES.map(String)),
};

/** Settings that a schema takes, as a file has them; a form that is not known here is an error. */
export function settingsOf(schema: z.core.$ZodType, path: readonly string[] = []): Form {
  const { type, shape, valueType, element, options, innerType, in: input } = definitionOf(schema);
  const at = path.join('.');
  if (shape !== undefined) return mapOf(shape, path);
  if (valueType !== undefined) {
    const values = settingsOf(valueType, [...path, 'NAME']);
    const [minKeys, maxKeys] = at === 'messages' ? [1, 3] : at.endsWith('subjects') ? [1, 4] : [0, 3];
    const keys = KEYS[path.at(-1) ?? ''];
    if (keys === undefined) throw new Error(`${at}: no keys for it here`);
    return fc
      .uniqueArray(fc.tuple(keys, values), { minLength: minKeys, maxLength: maxKeys, selector: ([key]) => key })
      .map((entries) => Object.fromEntries(entries));
  }
  if (element !== undefined) {
    const minLength =
      /^(backend\.urls|listen|admin\.hosts|messages\.NAME\.(paths|hosts|frontends)|lists(\.\[\]\.actions)?)$/.test(at)
        ? 1
        : 0;
    const selector = (item: unknown) => JSON.stringify(item).toLowerCase();
    return fc.uniqueArray(settingsOf(element, [...path, '[]']), { minLength, maxLength: 4, selector });
  }
  if (options !== undefined) return fc.oneof(...options.map((option) => settingsOf(option, path)));
  const wrapped = innerType ?? input;
  if (wrapped !== undefined) return settingsOf(wrapped, path);
  return leaf(schema, type, path);
}

function mapOf(shape: Readonly<Record<string, z.core.$ZodType>>, path: readonly string[]): Form {
  const fields = Object.fromEntries(
    Object.entries(shape).map(([key, child]) => [key, settingsOf(child, [...path, key])]),
  );
  const requiredKeys = ['default', 'unix', 'file', 'subjects', 'name', 'actions'].filter(
    (key) => key in fields && path[0] !== 'cache',
  );
  return fc.record(fields, { requiredKeys }).map((settings) => {
    const { required, subjects } = settings as { required?: string[]; subjects?: object };
    if (required === undefined) return settings;
    return { ...settings, required: required.filter((kind) => kind in (subjects ?? {})) };
  });
}

function leaf(schema: z.core.$ZodType, type: string, path: readonly string[]): Form {
  const { entries, values } = schema._zod.def as { entries?: Record<string, unknown>; values?: readonly unknown[] };
  const known = entries === undefined ? values : Object.values(entries);
  if (known !== undefined) return fc.constantFrom(...known);
  if (type === 'boolean') return fc.boolean();
  const mustBe = String((schema as z.ZodType).meta()?.mustBe);
  const form = type === 'number' ? numberOf(mustBe) : TEXTS.find(([pattern]) => pattern.test(mustBe))?.[1];
  if (form === undefined) throw new Error(`${path.join('.')}: nothing is known here that is "${mustBe}"`);
  return form;
}

function numberOf(mustBe: string): Form | undefined {
  if (mustBe === 'a number from 0 to 1') return fc.double({ min: 0, max: 1, noNaN: true });
  if (/^128 or/.test(mustBe)) return fc.constantFrom(16, 48, 56, 64, 128);
  const [, min, max] = /^a whole number from (\d+) to (\d+)$/.exec(mustBe) ?? [];
  return max === undefined ? undefined : fc.integer({ min: Number(min), max: Number(max) });
}
