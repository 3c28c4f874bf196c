import { rawFetchIn } from '../../config/raw-fetches.ts';
import { eventFacts } from '../events.ts';
import { DECODED_PATH, sendConditionOf } from '../generate/send-condition.ts';
import { readAcls, readCondition, testsOf } from '../parse/condition.ts';
import { optionOf } from '../parse/proxy.ts';
import type { Line } from '../parse/sections.ts';
import { wordsOf } from '../parse/words.ts';
import type { Checks } from './check.ts';
import { eventOf, guardedMessages, type Installation, sentMessages } from './installation.ts';
import { rulesReadingDecisions } from './variable-reads.ts';

/** Do conditions depend on values that a client can spell in several ways? */
export const SPELLING_CHECKS = {
  'condition-raw': {
    severity: 'error',
    why: 'HAProxy compares the value as the client sent it: //admin, /%61dmin and /./admin are /admin to most servers, but not to this test',
    write: '<instead>   # in this message of the configuration, with the lines that haverdict wiring generates for it',
    *find(installation) {
      const own = ownTests(installation);
      for (const { test, place, where, tcp } of conditionsIn(installation)) {
        const [fetch = ''] = test;
        if (fetch === DECODED_PATH || own.has(test.join(' ')) || rawFetchIn([fetch], tcp) === undefined) continue;
        const instead = /hdr|sni/.test(fetch) ? 'hosts: [admin.example]' : 'paths: [/admin/*]';
        yield { place, what: `${where} depends on ${fetch}`, values: { instead } };
      }
    },
  },
  'violations-accepted': {
    severity: 'warning',
    why: 'HAProxy passes requests that it would refuse, such as one whose Host is not the host of its URL: the agent is asked about one of them, and the server may serve the other',
    write: 'remove option <option>',
    *find(installation) {
      for (const { filter, message } of guardedMessages(installation)) {
        const isAbout = message.subjects.some(({ kind }) => kind === 'host' || kind === 'path');
        if (!isAbout && message.hosts === undefined && message.paths === undefined) continue;
        for (const option of ACCEPTING) {
          const found = optionOf(filter.proxy.lines, option);
          if (found?.on)
            yield {
              place: found.line.place,
              what: `${option} beside message ${message.name}, which is about hosts or paths`,
              values: { option },
            };
        }
      }
    },
  },
} satisfies Checks;

/** Options that disable HAProxy's own checks of a request. */
const ACCEPTING = ['accept-invalid-http-request', 'accept-unsafe-violations-in-http-request'];

interface Found {
  readonly test: readonly string[];
  readonly place: Line['place'];
  readonly where: string;
  readonly tcp: boolean;
}

function* conditionsIn({ engines, filters, config, ...rest }: Installation): Iterable<Found> {
  for (const engine of engines)
    for (const message of sentMessages(engine)) {
      const acls = readAcls(message.acls);
      const event = eventOf(message);
      const tcp = eventFacts(event)?.mode !== 'http';
      for (const { words, place } of message.events)
        for (const test of testsOf(readCondition(words).condition, acls))
          yield { test, place, where: `whether message ${message.name} is sent`, tcp };
    }
  for (const proxy of new Set(config.proxies)) {
    const sendRules = proxy.rules.filter(
      ({ action, args }) => action === 'send-spoe-group' && filters.some(({ engineName }) => engineName === args[0]),
    );
    for (const rule of sendRules)
      for (const test of testsOf(rule.condition, proxy.acls))
        yield { test, place: rule.place, where: `whether group ${rule.args[1]} is sent`, tcp: proxy.mode === 'tcp' };
    for (const rule of rulesReadingDecisions(proxy, rest))
      if (STOPS.test(rule.action))
        for (const test of testsOf(rule.condition, proxy.acls))
          yield { test, place: rule.place, where: 'whether this decision is obeyed', tcp: proxy.mode === 'tcp' };
  }
}

const STOPS = /^(deny|reject|tarpit|silent-drop|return|redirect)$/;

/** Tests that the wiring itself generates: they are safe, or there because odd paths may pass. */
function ownTests({ settings }: Installation): ReadonlySet<string> {
  return new Set(
    settings.messages.flatMap((message) => sendConditionOf(message).acls).map((acl) => wordsOf(acl).slice(2).join(' ')),
  );
}
