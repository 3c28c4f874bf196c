import type { ProxySection } from '../parse/proxy.ts';
import { RULESETS, type Ruleset } from '../parse/rules.ts';

/** The events of SPOE by the moment HAProxy comes to them; rules of the same number run right after. */
const EVENT_PHASES: Readonly<Record<string, number>> = {
  'on-client-session': 2,
  'on-frontend-tcp-request': 2,
  'on-frontend-http-request': 3,
  'on-backend-tcp-request': 5,
  'on-backend-http-request': 6,
  'on-server-session': 8,
  'on-tcp-response': 8,
  'on-http-response': 9,
};

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

/** The moment of an event; undefined for one that HAProxy does not have. A listen section has those of a frontend only. */
export function phaseOfEvent(event: string, { kind }: ProxySection): number | undefined {
  return EVENT_PHASES[kind === 'listen' ? event.replace('on-backend-', 'on-frontend-') : event];
}

/** The moment of a rule of this section. */
export function phaseOfRule(ruleset: Ruleset, { kind }: ProxySection): number {
  const inBackend = kind === 'backend' ? BACKEND_PHASES[ruleset] : undefined;
  return inBackend ?? FRONTEND_PHASES[ruleset];
}

/** Is the event one of the response? What is denied there has reached the server. */
export function isResponseEvent(event: string): boolean {
  return (EVENT_PHASES[event] ?? 0) >= FRONTEND_PHASES['tcp-response content'];
}

export const REQUEST_RULESETS: readonly Ruleset[] = RULESETS.slice(0, RULESETS.indexOf('tcp-response content'));
export const RESPONSE_RULESETS: readonly Ruleset[] = RULESETS.slice(RULESETS.indexOf('tcp-response content'));
