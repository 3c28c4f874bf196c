import { didYouMean } from '../../config/did-you-mean.ts';
import type { ConfigFile } from '../../config/schema.ts';
import { isOddPath } from '../../contract/kinds/path.ts';
import { formatSubject, parseSubject, type Subject } from '../../contract/subject.ts';
import { usageError } from '../exit/cli-error.ts';
import { lookedUpInstead } from '../guards/ipv6-prefix.ts';

/** The sections of an agent's configuration that decide which entry wins. */
export type AgentSections = Pick<ConfigFile, 'lists' | 'shadowLists' | 'messages' | 'ipv6Prefix'>;

/** The subjects as an agent with this configuration looks them up, in its order. */
export interface LookupPlan {
  readonly subjects: readonly { readonly subject: Subject; readonly notLookedUp?: string }[];
  readonly shadow: boolean;
  /** What the message does with paths that servers read differently; absent without a message. */
  readonly oddPaths?: 'refuse' | 'pass';
}

/** Subjects in the order of the message's kinds; those that it does not look up come last. */
export function planLookups(
  subjects: readonly Subject[],
  agent: AgentSections,
  wanted: string | undefined,
): LookupPlan {
  const asked = subjects.map((subject) => withIpv6Prefix(subject, agent.ipv6Prefix));
  const named = messageNamed(wanted, agent.messages);
  if (named === undefined) return { subjects: asked.map((subject) => ({ subject })), shadow: false };
  const { name, message } = named;
  const kinds = Object.keys(message.subjects);
  const inOrder = kinds.flatMap((kind) => asked.filter((subject) => subject.kind === kind));
  const others = asked.filter(({ kind }) => !kinds.includes(kind));
  return {
    subjects: [
      ...inOrder.map((subject) => ({ subject })),
      ...others.map((subject) => ({ subject, notLookedUp: `message ${name} does not look up ${subject.kind}` })),
    ],
    shadow: message.shadow,
    oddPaths: message.oddPaths,
  };
}

/** The message of this name, or the only one; undefined if there are several. */
export function messageNamed(wanted: string | undefined, messages: AgentSections['messages']) {
  const name = wanted ?? onlyOne(Object.keys(messages));
  if (name === undefined) return undefined;
  const message = messages[name];
  if (message === undefined) throw usageError(noMessage(name, Object.keys(messages)));
  return { name, message };
}

/** With `ipv6Prefix` an agent looks up the network of an IPv6 client. */
function withIpv6Prefix(subject: Subject, ipv6Prefix: number): Subject {
  const instead = lookedUpInstead(formatSubject(subject), ipv6Prefix);
  return instead === undefined ? subject : parseSubject(instead);
}

function onlyOne(names: readonly string[]): string | undefined {
  return names.length === 1 ? names[0] : undefined;
}

function noMessage(name: string, known: readonly string[]): string {
  const meant = didYouMean(name, known);
  return `the configuration has no message ${name}${meant === undefined ? `: it has ${known.join(', ')}` : `, did you mean ${meant}?`}`;
}

/** The default for `--lists`: every list with an entry, `first` at the beginning. */
export function listsByDefault(lists: readonly string[], first: string): string[] {
  return [first, ...[...new Set(lists)].filter((list) => list !== first).sort()];
}

/** The canonical texts of the paths whose typed form servers read differently. */
export function oddPathsIn(texts: readonly string[]): ReadonlySet<string> {
  const paths = texts.filter((text) => /^path:/i.test(text) && isOddPath(Buffer.from(text.slice('path:'.length))));
  return new Set(paths.map((text) => formatSubject(parseSubject(text))));
}

/** Removes duplicates. */
export function unique(subjects: readonly Subject[]): Subject[] {
  return [...new Map(subjects.map((subject) => [formatSubject(subject), subject])).values()];
}
