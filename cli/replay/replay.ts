import { combine } from '../../agent/decision/combine.ts';
import { decisionOf } from '../../agent/decision/decision.ts';
import { supportedBy } from '../../agent/decision/enforcement.ts';
import type { LookupSubject } from '../../agent/decision/lookup-subject.ts';
import { keyName } from '../../blocklist/store.ts';
import { type Action, isDenied } from '../../contract/actions.ts';
import type { Entry } from '../../contract/check.ts';
import type { Rules } from '../../contract/missing-rules.ts';
import { type LoggedRequest, parseLogLine } from '../access-log/haproxy-log.ts';
import { clientOf, type LoggedKind, subjectOf } from './logged-subjects.ts';

/** What is known of all entries: the winner of a subject. */
export interface KnownEntries {
  entryOf(subject: LookupSubject): Entry | null;
}

/** How requests are looked up. */
export interface ReplayRules {
  /** In order of precedence. */
  readonly kinds: readonly LoggedKind[];
  readonly ipv6Prefix: number;
  readonly oddPaths: 'refuse' | 'pass';
  /** What HAProxy has rules for; absent without a configuration. */
  readonly rules?: Rules;
}

/** What an entry would have done. */
export interface Hit {
  readonly entry: Entry;
  /** As HAProxy has rules for it. */
  readonly action: Action;
  readonly requests: number;
  /** Clients that are kept count. */
  readonly clients: number;
  /** Milliseconds since 1970, by the clock of the log. */
  readonly firstMs: number;
  readonly lastMs: number;
}

export interface ReplayResult {
  readonly requests: number;
  readonly clients: number;
  /** There were more clients, which are not counted. */
  readonly hasMoreClients: boolean;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Of requests that would reach no server. */
  readonly denied: { readonly requests: number; readonly clients: number };
  /** Of each entry that would have decided; most requests first. */
  readonly hits: readonly Hit[];
}

/** They take about 200 MB. A client behind a network's entry counts once there, too. */
export const MAX_CLIENTS = 1_000_000;

interface Client {
  readonly entry: Entry | null;
}

interface Counted {
  readonly entry: Entry;
  readonly action: Action;
  readonly clients: Set<Client>;
  requests: number;
  firstMs: number;
  lastMs: number;
}

/** Decides about the requests of a log as an agent would that enforces every list. */
export class Replay {
  readonly #known: KnownEntries;
  readonly #rules: ReplayRules;
  readonly #maxClients: number;
  readonly #clients = new Map<string, Client>();
  readonly #denied = new Set<Client>();
  readonly #hits = new Map<string, Counted>();
  #requests = 0;
  #deniedRequests = 0;
  #hasMoreClients = false;
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(known: KnownEntries, rules: ReplayRules, maxClients = MAX_CLIENTS) {
    this.#known = known;
    this.#rules = rules;
    this.#maxClients = maxClients;
  }

  /** Counts the request of a line, if it has one. */
  add(line: string): void {
    const logged = parseLogLine(line);
    if (logged === undefined) return;
    this.#requests++;
    this.#firstMs = Math.min(this.#firstMs, logged.atMs);
    this.#lastMs = Math.max(this.#lastMs, logged.atMs);
    const found = this.#rules.kinds.map((kind) => this.#entryOf(kind, line, logged.address));
    if (found.every((entry) => entry === null)) return;
    const verdicts = found.map((entry) => decisionOf(entry, 'backend'));
    const combined = combine(verdicts, { default: 'open' });
    const entry = found[verdicts.indexOf(combined)];
    if (!entry) return;
    const { rules } = this.#rules;
    const { action } = rules === undefined ? combined : supportedBy(rules, combined).decision;
    this.#count(entry, action, logged);
  }

  result(): ReplayResult {
    const hits = [...this.#hits.values()].map(({ clients, ...hit }) => ({ ...hit, clients: clients.size }));
    return {
      requests: this.#requests,
      clients: this.#clients.size,
      hasMoreClients: this.#hasMoreClients,
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      denied: { requests: this.#deniedRequests, clients: this.#denied.size },
      hits: hits.sort((one, other) => other.requests - one.requests),
    };
  }

  #entryOf(kind: LoggedKind, line: string, address: string): Entry | null {
    if (kind === 'ip') return this.#entryOfClient(address);
    const logged = subjectOf(kind, line);
    if (logged === undefined) return null;
    if (!logged.isOdd) return this.#known.entryOf(logged.subject);
    if (this.#rules.oddPaths === 'refuse') return null;
    const entry = this.#known.entryOf(logged.subject);
    return entry?.action === 'allow' ? (entry.unlessAllowed ?? null) : entry;
  }

  /** Most clients come again. */
  #entryOfClient(address: string): Entry | null {
    const known = this.#clients.get(address);
    if (known !== undefined) return known.entry;
    const entry = this.#known.entryOf(clientOf(address, this.#rules.ipv6Prefix));
    if (this.#clients.size < this.#maxClients) this.#clients.set(address, { entry });
    else this.#hasMoreClients = true;
    return entry;
  }

  #count(entry: Entry, action: Action, { address, atMs }: LoggedRequest): void {
    const name = keyName(entry);
    let hit = this.#hits.get(name);
    if (hit === undefined) {
      hit = { entry, action, clients: new Set(), requests: 0, firstMs: atMs, lastMs: atMs };
      this.#hits.set(name, hit);
    }
    hit.requests++;
    hit.firstMs = Math.min(hit.firstMs, atMs);
    hit.lastMs = Math.max(hit.lastMs, atMs);
    // of a client that is not kept nothing is
    const client = this.#clients.get(address);
    if (client !== undefined) hit.clients.add(client);
    if (!isDenied(action)) return;
    this.#deniedRequests++;
    if (client !== undefined) this.#denied.add(client);
  }
}
