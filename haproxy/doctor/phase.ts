import { eventFacts } from '../events.ts';
import type { ProxySection } from '../parse/proxy.ts';
import { RULESETS, type Ruleset } from '../parse/rules.ts';

/** Rulesets by the moment HAProxy comes to them. */
const FRONTEND_PHASES: Readonly<Record<Ruleset, number>> = {
  'tcp-request connection': 0,
  'tcp-request session': 1,
  'tcp-request content': 2,
  'http-request': 3,
  use_backend: 4,
  'use-server': 7,
  'tcp-response content': 8,
  'http-response': 9,
  'http-after-response': 10,
};

const BACKEND_PHASES: Readonly<Partial<Record<Ruleset, number>>> = { 'tcp-request content': 5, 'http-request': 6 };

/** The moment of a rule of this section. */
export function phaseOfRule(ruleset: Ruleset, { kind }: { readonly kind: ProxySection['kind'] }): number {
  const inBackend = kind === 'backend' ? BACKEND_PHASES[ruleset] : undefined;
  return inBackend ?? FRONTEND_PHASES[ruleset];
}

/**
 * The moment of an event, which is that of the rules right after it; undefined for one that HAProxy does not have. A listen
 * section has those of a frontend only.
 */
export function phaseOfEvent(event: string, { kind }: ProxySection): number | undefined {
  const { mode, side, section = 'frontend' } = eventFacts(event) ?? {};
  if (mode === undefined || side === undefined) return undefined;
  return phaseOfRule(mode === 'tcp' ? `tcp-${side} content` : `http-${side}`, {
    kind: kind === 'listen' ? kind : section,
  });
}

export const REQUEST_RULESETS: readonly Ruleset[] = RULESETS.slice(0, RULESETS.indexOf('tcp-response content'));
export const RESPONSE_RULESETS: readonly Ruleset[] = RULESETS.slice(RULESETS.indexOf('tcp-response content'));
