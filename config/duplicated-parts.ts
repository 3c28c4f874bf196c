import type { MessageSettings } from './settings.ts';

/** A frame with HAProxy's default buffer: `tune.bufsize` less 4 bytes. A request with its headers is in one such buffer. */
const FRAME_BYTES = 16_380;

/** Fetches by the part of a request that they copy, whose length the client chooses. */
const PARTS: readonly (readonly [fetch: RegExp, part: (argument: string) => string])[] = [
  [/^(?:req\.)?f?hdr\(\s*([^,)]+)/, (name) => `the header ${name.toLowerCase()}`],
  [/^(?:req\.)?cook\(/, () => 'the header cookie'],
  [/^(?:path|pathq|url|base|query|urlp|url_param|capture\.req\.uri)\b/, () => 'the URL'],
  [/^req\.(?:body|body_param)\b/, () => 'the body'],
  [/^req\.hdrs\b/, () => 'all headers'],
];

/** Converters after which the client no longer chooses the length. */
const BOUNDED =
  /,(?:sha1|sha2|digest|hmac|md5|xxh\w*|crc32c?|djb2|sdbm|wt6|murmur\w*|length|strcmp|map\w*|table_\w+|in_table|bool|and|or)\b/;

/** An argument that copies the same part of a request as another argument of its message. */
export interface DuplicatedPart {
  readonly place: readonly ['subjects' | 'arguments', string];
  readonly message: string;
}

/**
 * Finds what can make a message larger than a frame: a part of the request that it contains more than once. A part that it
 * contains once always fits, since the request was in a buffer of that size.
 */
export function duplicatedParts({ subjects, arguments: given }: MessageSettings): DuplicatedPart[] {
  const all = [
    ...subjects.map(({ kind, expression }) => ({ place: ['subjects', kind] as const, expression })),
    ...given.map(({ name, expression }) => ({ place: ['arguments', name] as const, expression })),
  ];
  const byPart = Map.groupBy(all, ({ expression }) => partOf(expression) ?? '');
  return [...byPart].flatMap(([part, copies]) => {
    const last = copies.at(-1);
    if (part === '' || last === undefined || copies.length < 2) return [];
    const names = copies.map(({ place: [, name] }) => name);
    const bytes = Math.floor(FRAME_BYTES / copies.length);
    const message = `${names.slice(0, -1).join(', ')} and ${last.place[1]} each send ${part}: if it has more than ${bytes} bytes, the message exceeds a frame and the request is answered 400 (too_large) without asking the agent; send it once`;
    return [{ place: last.place, message }];
  });
}

/** Undefined for a value that a client cannot make long. */
function partOf(expression: string): string | undefined {
  if (BOUNDED.test(expression)) return undefined;
  for (const [fetch, part] of PARTS) {
    const found = fetch.exec(expression);
    if (found !== null) return part(found[1] ?? '');
  }
  return undefined;
}
