import type { Line, Place, Section } from './sections.ts';

/** The part of an SPOE file under one `[scope]` (SPOE.txt 2.1). */
export interface SpoeEngine {
  readonly agent: SpoeAgent;
  readonly messages: readonly SpoeMessage[];
  readonly groups: readonly SpoeGroup[];
}

export interface SpoeAgent {
  readonly name: string;
  readonly place: Place;
  readonly lines: readonly Line[];
}

export interface SpoeMessage {
  readonly name: string;
  readonly place: Place;
  readonly args: readonly { readonly name: string; readonly expression: string; readonly place: Place }[];
  readonly events: readonly Line[];
  readonly acls: readonly Line[];
  /** Lines that HAProxy silently ignores. */
  readonly ignored: readonly Line[];
}

export interface SpoeGroup {
  readonly name: string;
  readonly place: Place;
  readonly messages: readonly string[];
}

const MESSAGE_KEYWORDS = new Set(['args', 'event', 'acl']);

/** The engine of this name; undefined where the file has no spoe-agent under that scope. */
export function readEngine(sections: readonly Section[], scope: string): SpoeEngine | undefined {
  const within = sections.filter((section) => section.scope === scope);
  const agent = within.find(({ keyword }) => keyword === 'spoe-agent');
  if (agent === undefined) return undefined;
  return {
    agent: { name: agent.name, place: agent.place, lines: agent.lines },
    messages: within.filter(({ keyword }) => keyword === 'spoe-message').map(messageOf),
    groups: within.filter(({ keyword }) => keyword === 'spoe-group').map(groupOf),
  };
}

/** The names after this keyword of the agent section, of all such lines. */
export function namesOf({ lines }: { readonly lines: readonly Line[] }, keyword: string): string[] {
  return lines.filter(({ words }) => words[0] === keyword).flatMap(({ words }) => words.slice(1));
}

function messageOf({ name, place, lines }: Section): SpoeMessage {
  const starting = (keyword: string) => lines.filter(({ words }) => words[0] === keyword);
  return {
    name,
    place,
    args: starting('args').flatMap(argumentsOf),
    events: starting('event'),
    acls: starting('acl'),
    ignored: lines.filter(({ words }) => !MESSAGE_KEYWORDS.has(words[0] ?? '')),
  };
}

function argumentsOf({ words, place }: Line): SpoeMessage['args'] {
  return words.slice(1).map((word) => {
    const [, name = '', expression = word] = /^([^=(]+)=(.*)$/.exec(word) ?? [];
    return { name, expression, place };
  });
}

function groupOf(section: Section): SpoeGroup {
  return { name: section.name, place: section.place, messages: namesOf(section, 'messages') };
}
