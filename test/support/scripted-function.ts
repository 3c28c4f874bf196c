import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MirrorBackend } from './mirror-backend.ts';

/** A subject in the second quarter of its /22 is listed: 10.9.1.7 is, 10.9.2.7 is not. */
const LISTED = /^ip:10\.\d+\.1\.\d+$/;

type Answer = (response: ServerResponse, subjects: readonly string[]) => void;

/** What a function can do to those who ask it, the right thing first. */
export const BEHAVIOURS = {
  well: (response, subjects) => void response.end(verdicts(subjects)),
  slowBelowDeadline: (response, subjects) => void setTimeout(() => response.end(verdicts(subjects)), 30),
  slowAboveDeadline: (response, subjects) => void setTimeout(() => response.end(verdicts(subjects)), 400),
  hanging: () => {},
  status500: (response) => void response.writeHead(500).end('{"error":"internal error"}'),
  status429: (response) => void response.writeHead(429).end(),
  garbage: (response) => void response.end('<html>not what you asked for</html>'),
  halfAnAnswer: (response, subjects) => void response.end(verdicts(subjects.slice(0, subjects.length >> 1))),
  otherSubjects: (response, subjects) => void response.end(verdicts(subjects.map(() => 'ip:192.0.2.1'))),
  closesMidBody: (response, subjects) => {
    response.writeHead(200, { 'content-length': 10_000 }).write(verdicts(subjects).slice(0, 20));
    setTimeout(() => response.destroy(), 5);
  },
} as const satisfies Record<string, Answer>;
export type Behaviour = keyof typeof BEHAVIOURS;

/** A function by the contract whose behaviour the test chooses; it counts its calls, but not those for updates and mirror. */
export class ScriptedFunction {
  calls = 0;
  behaviour: Behaviour = 'well';
  /** What it answers about updates and mirror; 404 without. */
  readonly #mirror: MirrorBackend | undefined;
  #port = 0;

  constructor(mirror?: MirrorBackend) {
    this.#mirror = mirror;
  }

  readonly #server = createServer(async (request, response) => {
    if (request.method === 'GET' && this.#mirror?.answer(new URL(request.url ?? '', this.url), response)) return;
    this.calls++;
    response.on('error', () => {});
    const chunks = await request.toArray().catch(() => []);
    const { subjects = [] } = JSON.parse(Buffer.concat(chunks).toString() || '{}') as { subjects?: string[] };
    BEHAVIOURS[this.behaviour](response, subjects);
  });

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, on the same port as before once it had one. */
  async open(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port; // a listening TCP server has one
  }

  /** Refuses connections from now on. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

function verdicts(subjects: readonly string[]): string {
  const entryOf = (subject: string) => (LISTED.test(subject) ? { subject, list: 'manual', action: 'deny' } : null);
  return JSON.stringify({ ttl: 86_400, verdicts: subjects.map((subject) => ({ subject, entry: entryOf(subject) })) });
}
