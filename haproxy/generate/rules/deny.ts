import type { Settings } from '../../../config/settings.ts';
import { VARIABLES } from '../../vocabulary.ts';
import type { Reading } from '../reading.ts';
import { formatOf, word } from '../word.ts';
import type { Stops } from './unknown.ts';

export type HttpRuleset = 'http-request' | 'http-response';

/** Where the entry says none. */
const DEFAULT_STATUS = 403;
/** An agent that could not be asked is told as an error, never as a ban. */
const UNKNOWN_STATUS = 503;
/** What the client causes is told as its error. */
const REFUSED_STATUS = 400;
const TOO_LONG_STATUS = 414;

/** `deny_status` takes only statuses HAProxy has a page for (2.6: "not handled by default"); these bring their own. */
const PAGES: Readonly<Record<number, string>> = {
  [TOO_LONG_STATUS]: 'URI Too Long',
  451: 'Unavailable For Legal Reasons',
};

/** The start of the rule that stops what nothing is known about. */
export function unknownStop(settings: Settings, ruleset: HttpRuleset): string {
  return `${ruleset} deny ${replyWith(settings, UNKNOWN_STATUS)}`;
}

/** The start of the rule that stops what the client has made wrong. */
export function refusalStop(settings: Settings, ruleset: HttpRuleset): string {
  return `${ruleset} deny ${replyWith(settings, REFUSED_STATUS)}`;
}

/** The start of the rule that stops what nothing that long can be meant by. */
export function tooLongStop(settings: Settings, ruleset: HttpRuleset): string {
  return `${ruleset} deny ${replyWith(settings, TOO_LONG_STATUS)}`;
}

export function httpStops(settings: Settings, ruleset: HttpRuleset): Stops {
  return { unknown: unknownStop(settings, ruleset), refused: refusalStop(settings, ruleset) };
}

/** Denied with the body of the entry; HAProxy wants each status literally, so there is a rule for each. */
export function bodyRules({ haproxy }: Settings, reading: Reading, ruleset: HttpRuleset): string[] {
  const denied = `${reading.is(...deniedAt(ruleset))} ${reading.has(VARIABLES.body)}`;
  const reply = `content-type ${word(haproxy.bodyContentType)} lf-string ${formatOf(reading.variable(VARIABLES.body))}`;
  return byStatus(
    haproxy,
    reading,
    denied,
    (status, condition) => `${ruleset} return status ${status} ${reply} if ${condition}`,
  );
}

/** Denied with a page: that of the configuration, or HAProxy's own. A redirect that names no location ends here too. */
export function denyRules(settings: Settings, reading: Reading, ruleset: HttpRuleset): string[] {
  const rules = byStatus(
    settings.haproxy,
    reading,
    reading.is(...deniedAt(ruleset)),
    (status, condition) => `${ruleset} deny ${replyWith(settings, status)} if ${condition}`,
  );
  const last = `${ruleset} deny ${replyWith(settings, DEFAULT_STATUS)} if ${reading.is(...deniedAt(ruleset), 'redirect')}`;
  return [...rules.slice(0, -1), last];
}

export function tarpitRules(settings: Settings, reading: Reading): string[] {
  return byStatus(
    settings.haproxy,
    reading,
    reading.is('tarpit'),
    (status, condition) => `http-request tarpit ${replyWith(settings, status)} if ${condition}`,
  );
}

/** A response cannot be held back, only be denied. */
function deniedAt(ruleset: HttpRuleset): readonly ('deny' | 'tarpit')[] {
  return ruleset === 'http-request' ? ['deny'] : ['deny', 'tarpit'];
}

/** A rule for each status that is configured, and one for entries with another or none. */
function byStatus(
  { denyStatuses }: Settings['haproxy'],
  reading: Reading,
  condition: string,
  rule: (status: number, condition: string) => string,
): string[] {
  const others = denyStatuses.filter((status) => status !== DEFAULT_STATUS);
  return [
    ...others.map((status) => rule(status, `${condition} ${reading.hasStatus(status)}`)),
    rule(DEFAULT_STATUS, condition),
  ];
}

function replyWith({ haproxy }: Settings, status: number): string {
  const page = haproxy.denyPages.find((page) => page.status === status);
  const own = PAGES[status];
  if (page !== undefined) return `deny_status ${status} content-type ${word(page.contentType)} file ${word(page.file)}`;
  return own === undefined ? `deny_status ${status}` : `deny_status ${status} content-type text/plain string "${own}"`;
}
