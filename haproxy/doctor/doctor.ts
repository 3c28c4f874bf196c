import type { Place } from '../parse/sections.ts';
import { AGENTS_CHECKS } from './agents-checks.ts';
import { ARGUMENT_CHECKS } from './argument-checks.ts';
import { CHANGE_CHECKS } from './change-checks.ts';
import type { Check, Severity } from './check.ts';
import { ENGINE_CHECKS } from './engine-checks.ts';
import { FILTER_CHECKS } from './filter-checks.ts';
import { GROUP_CHECKS } from './group-checks.ts';
import { IMPLICIT_FILTER_CHECKS } from './implicit-filter-checks.ts';
import type { Installation } from './installation.ts';
import { MARKS_CHECKS } from './marks-checks.ts';
import { MESSAGE_CHECKS } from './message-checks.ts';
import { ORDER_CHECKS } from './order-checks.ts';
import { RECENT_CHECKS } from './recent-checks.ts';
import { RULE_CHECKS } from './rule-checks.ts';
import { SERVER_CHECKS } from './server-checks.ts';
import { SPELLING_CHECKS } from './spelling-checks.ts';
import { TIMING_CHECKS } from './timing-checks.ts';
import { VARIABLE_CHECKS } from './variable-checks.ts';

/** Every check by the id of its finding; docs/reference/doctor.md lists them all. */
export const CHECKS = {
  ...FILTER_CHECKS,
  ...IMPLICIT_FILTER_CHECKS,
  ...MESSAGE_CHECKS,
  ...ARGUMENT_CHECKS,
  ...GROUP_CHECKS,
  ...SPELLING_CHECKS,
  ...RULE_CHECKS,
  ...CHANGE_CHECKS,
  ...ORDER_CHECKS,
  ...RECENT_CHECKS,
  ...VARIABLE_CHECKS,
  ...AGENTS_CHECKS,
  ...SERVER_CHECKS,
  ...TIMING_CHECKS,
  ...ENGINE_CHECKS,
  ...MARKS_CHECKS,
} satisfies Readonly<Record<string, Check>>;
export type FindingId = keyof typeof CHECKS;

export interface Finding {
  readonly id: FindingId;
  readonly severity: Severity;
  readonly place: Place;
  readonly what: string;
  readonly why: string;
  readonly write: string;
}

/** All findings in this installation, in the order of the checks. */
export function examine(installation: Installation): Finding[] {
  const found = Object.entries(CHECKS as Readonly<Record<string, Check>>).flatMap(
    ([id, check]) => findingsOf(id as FindingId, check, installation), // the keys of CHECKS
  );
  const ids = new Set<string>(found.map(({ id }) => id));
  return found.filter(({ id }) => !(CHECKS[id] as Check).unless?.some((other) => ids.has(other)));
}

/** Reports a line that several sections share, such as one of defaults, once. */
function findingsOf(id: FindingId, { severity, why, write, find }: Check, installation: Installation): Finding[] {
  const findings = new Map<string, Finding>();
  for (const { place, what, values = {}, severity: own = severity } of find(installation)) {
    const filled = write.replace(/<(\w+)>/g, (name, key: string) => String(values[key] ?? name));
    findings.set(`${place.file}:${place.line} ${what}`, { id, severity: own, place, what, why, write: filled });
  }
  return [...findings.values()];
}
