import type { Settings } from '../../../config/settings.ts';
import type { Reading } from '../reading.ts';
import { bodyRules, denyRules, type HttpRuleset, tarpitRules } from './deny.ts';
import { redirectRules } from './redirect.ts';

/** The rules that stop an HTTP request or response, as the agent decides. */
export function stopRules(settings: Settings, reading: Reading, ruleset: HttpRuleset): string[] {
  return [
    '# dropped: the client gets no answer, not even a closed connection',
    `${ruleset} silent-drop if ${reading.is('drop')}`,
    '',
    '# redirected, with the status of the entry where it has one',
    ...redirectRules(reading, ruleset),
    '',
    ...(ruleset === 'http-request'
      ? [
          '# tarpitted: denied only after `timeout tarpit` of this section (of `timeout connect` where it has none)',
          ...tarpitRules(settings, reading),
          '',
        ]
      : []),
    '# denied with the body of the entry',
    ...bodyRules(settings, reading, ruleset),
    '',
    '# denied, with the status of the entry where it has one',
    ...denyRules(settings, reading, ruleset),
  ];
}

/** A connection has no status: what an HTTP request would be denied with closes it. */
export function connectionRules(reading: Reading, ruleset: 'tcp-request content' | 'tcp-response content'): string[] {
  return [
    '# dropped: the client gets no answer, not even a closed connection',
    `${ruleset} silent-drop if ${reading.is('drop')}`,
    '# a connection has no status and no location: whatever else stops closes it',
    `${ruleset} reject if ${reading.is('deny', 'tarpit', 'redirect')}`,
  ];
}
