import { factsOf, isAction } from '../contract/actions.ts';
import { formatNetwork, masked, parseNetwork } from '../contract/address.ts';
import { varProblem, varsProblem } from '../contract/entry-vars.ts';
import { escapeInvisible, printable } from '../contract/printable.ts';
import { redactedSubject } from '../contract/redact.ts';
import { formatSubject, parseSubject, SubjectError } from '../contract/subject.ts';
import { LAST_SECOND, parseEntry, type StoredEntry } from './entry.ts';
import { asReason } from './reason.ts';
import type { Item } from './store.ts';

/** What an item says, with a line about each thing that should be written otherwise; or why it says nothing. */
export type ReadEntry =
  | { readonly entry: StoredEntry; readonly corrections: readonly string[] }
  | { readonly problem: string };

/** Words that people write for deny. */
const DENY_WORDS = ['ban', 'banned', 'block', 'blocked', 'denied', 'forbid', 'refuse', 'reject'];
/** As people, SDKs and Terraform write an instant; without a zone it is UTC. */
const INSTANT = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?$/i;

type Attributes = Record<string, unknown>;

/**
 * Reads an item that may have been typed by hand: to ignore an entry because of how its details are written would unblock
 * a client. An allow counts only if every attribute is right. The subject has to be canonical, as the item stands under it.
 */
export function readEntry(item: Item): ReadEntry {
  const strict = parseEntry(item);
  if ('entry' in strict) return { entry: strict.entry, corrections: [] };
  const corrections: string[] = [];
  const parsed = parseEntry(corrected(item, corrections));
  if ('problem' in parsed) return parsed;
  if (parsed.entry.action === 'allow') return { problem: `${strict.problem}; an allow counts only without a mistake` };
  return { entry: parsed.entry, corrections };
}

/** The same for an item under any spelling of its subject; the entry has the canonical one. */
export function entryAsMeant(item: Item): ReadEntry {
  const subject = subjectAsMeant(item.subject);
  if (subject === undefined || subject === item.subject) return readEntry(item);
  const read = readEntry({ ...item, subject });
  if ('problem' in read) return read;
  const correction = `subject is not canonical, and the function never looks it up: write "${redactedSubject(subject)}"`;
  if (read.entry.action === 'allow') return { problem: `${correction}; an allow counts only without a mistake` };
  return { entry: read.entry, corrections: [correction, ...read.corrections] };
}

/** The canonical form of a subject as a person wrote it; undefined for what can be none. */
function subjectAsMeant(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return formatSubject(parseSubject(withoutHostBits(text.trim())));
  } catch (error) {
    if (error instanceof SubjectError) return undefined;
    throw error;
  }
}

/** `203.0.113.7/24` is the network that it lies in. */
function withoutHostBits(text: string): string {
  const network = parseNetwork(text.replace(/^ip:/i, ''));
  return network === undefined ? text : `ip:${formatNetwork(masked(network.bytes, network.prefix))}`;
}

/** The item as it would have been written right; adds a line to `corrections` for each change. */
function corrected(item: Item, corrections: string[]): Item {
  const { vars: said, ...read }: Attributes = Object.fromEntries(Object.entries(item).filter(isPresent));
  correct(read, 'action', actionAsMeant, corrections);
  correct(read, 'expiresAt', secondsAsMeant, corrections);
  correct(read, 'reason', lineAsMeant, corrections);
  for (const name of ['note', 'createdBy', 'createdAt']) correct(read, name, textAsMeant, corrections);
  const vars = said === undefined ? undefined : varsAsMeant(said, corrections);
  if (read.action === 'redirect' && vars?.location === undefined) {
    corrections.push('action redirect needs vars.location: read as deny');
    read.action = 'deny';
  }
  const { statuses } = factsOf(isAction(read.action) ? read.action : 'deny');
  correct(read, 'status', (value) => statuses.find((status) => status === numberIn(value)), corrections);
  return { ...read, ...(vars && { vars }) };
}

/** An attribute that is NULL or empty is absent, and needs no correction; the key stays as it is. */
function isPresent([name, value]: readonly [string, unknown]): boolean {
  if (name === 'subject' || name === 'list') return true;
  const isNull = typeof value === 'object' && value !== null && 'NULL' in value;
  return value !== null && value !== undefined && !isNull && !(typeof value === 'string' && value.trim() === '');
}

/** Replaces an attribute by what is meant, or removes it if that is undefined. */
function correct(read: Attributes, name: string, asMeant: (value: unknown) => unknown, corrections: string[]): void {
  const value = read[name];
  if (value === undefined) return;
  const meant = asMeant(value);
  if (meant === value) return;
  corrections.push(`${name} ${shown(value)} is ${meant === undefined ? 'left out' : `read as ${shown(meant)}`}`);
  if (meant === undefined) delete read[name];
  else read[name] = meant;
}

/** What is not known stays, and makes the entry invalid: it could be meant to let somebody through. */
function actionAsMeant(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const word = value.trim().toLowerCase();
  if (DENY_WORDS.includes(word)) return 'deny';
  return isAction(word) && word !== 'allow' ? word : value;
}

/** An end that is written as text, as a fraction, in milliseconds, or as a date. What is none of these is no end. */
function secondsAsMeant(value: unknown): number | undefined {
  const number = numberIn(value) ?? (typeof value === 'string' ? instantIn(value.trim()) : undefined);
  if (number === undefined || !Number.isFinite(number) || number < 0) return undefined;
  let seconds = number;
  while (seconds > LAST_SECOND) seconds /= 1000;
  return Math.ceil(seconds);
}

function instantIn(text: string): number | undefined {
  if (!INSTANT.test(text)) return undefined;
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/i.test(text.slice(10));
  const ms = Date.parse(hasZone || text.length === 10 ? text : `${text.replace(' ', 'T')}Z`);
  return Number.isNaN(ms) ? undefined : ms / 1000;
}

function lineAsMeant(value: unknown): string | undefined {
  const text = textAsMeant(value);
  return text === undefined ? undefined : asReason(text);
}

function textAsMeant(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value : undefined;
}

/** Without the variables that have no effect; undefined if none is left. */
function varsAsMeant(value: unknown, corrections: string[]): Attributes | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    corrections.push('vars is left out: it must be a map');
    return undefined;
  }
  const vars: Record<string, string> = {};
  for (const [written, said] of Object.entries(value)) {
    const [name, text] = [written.trim().toLowerCase(), textAsMeant(said)];
    const problem = text === undefined ? 'must be a string' : varProblem(name, text);
    if (text !== undefined && problem === undefined) vars[name] = text;
    if (problem !== undefined) corrections.push(`vars.${printable(written, 60)} is left out: it ${problem}`);
    else if (written !== name || said !== text) corrections.push(`vars.${printable(written, 60)} is read as ${name}`);
  }
  const problem = varsProblem(vars);
  if (problem !== undefined) corrections.push(`vars is left out: ${problem}`);
  return problem !== undefined || Object.keys(vars).length === 0 ? undefined : vars;
}

function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*\d{1,24}(\.\d*)?\s*$/.test(value) ? Number(value) : undefined;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `"${printable(value, 60)}"` : escapeInvisible(JSON.stringify(value).slice(0, 60));
}
