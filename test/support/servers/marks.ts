/** What a server writes into its answer when it took a request: `<<reached>>`, and `<<path:/admin>>` for each thing it served. */
export const REACHED = '<<reached>>';

/** What HAProxy marks where it could not ask the agent, as on a machine that is too busy: the policy let it pass, not a spelling. */
export const UNASKED = '<<unasked>>';

/** The things that a listing may name and a server tells apart, as entries are typed. */
export const THINGS = {
  hosts: ['evil.example', '*.wild.example', '192.0.2.1', '[2001:db8::1]', 'xn--gre-6ka8l.example', 'status.example'],
  paths: ['/', '/admin', '/a%20b', '/caf%C3%A9', '/caf%E9', '/health'],
  method: 'PURGE',
  cookie: { name: 'session', value: 'stolen' },
  key: { name: 'x-api-key', value: 'leaked' },
  header: { name: 'x-plan', value: 'trial' },
  ua: 'evilbot/1.0',
  ip: '203.0.113.7',
} as const;

export function mark(thing: string): string {
  return `<<${thing}>>`;
}

/** The marks in an answer, however it was sent. */
export function marksIn(answer: string): ReadonlySet<string> {
  return new Set(answer.match(/<<[^<>]*>>/g) ?? []);
}

/** A pattern for the path of a thing, as bytes; a folder is itself and all below it. */
export function pathPattern(path: string): string {
  if (path === '/') return '^/$';
  const bytes = path.replace(/%[0-9A-F]{2}/g, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
  const quoted = bytes.replace(/[ -~]|[^ -~]/g, (byte) => (/[\w/]/.test(byte) ? byte : hex(byte)));
  return path === '/admin' || path === '/health' ? `^${quoted}(/|$)` : `^${quoted}$`;
}

function hex(byte: string): string {
  return `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
