import { statusError } from '../../agent/backend/status-error.ts';
import { ACTIONS } from '../../contract/actions.ts';
import { ENDPOINTS, type Entry, entryProblem, MAX_SUBJECTS } from '../../contract/check.ts';
import { plural } from '../output/plural.ts';
import { CheckFailed, expectEntry, expectRefusal, lookedUp, responseOf, verdictsOf } from './expect.ts';
import { latency } from './latency.ts';
import { MIRROR_CHECKS } from './mirror.ts';
import type { CheckOptions, Target } from './target.ts';
import { UPDATES_CHECKS } from './updates.ts';

/** The result of a check in one line; if skipped, what it needs. */
export type Seen = string | { readonly skipped: string };

/** Checks one requirement; throws `CheckFailed` if the backend violates it. */
export type Check = (target: Target, asked: CheckOptions) => Promise<Seen>;

const IPV4 = 'ip:192.0.2.1';
const IPV6 = 'ip:2001:db8::1';
const NO_LIST = 'haverdict-no-such-list';
const KINDS = [
  'host:shop.example',
  'path:/a%20b/%C3%A4',
  'method:GET',
  'country:DE',
  'ua:curl/8 ä',
  'header.x-tenant:a',
];

const NO_ENTRIES = { skipped: 'no answer had an entry: name a listed subject with --listed' };

/** Every check by its name, in the order in which they run. */
export const CHECKS: Readonly<Record<string, Check>> = {
  reachable: async (target) => {
    const answer = await target.get(ENDPOINTS.health.path);
    const { status } = answer;
    if (status !== 401 && status !== 403) return `answers status ${status}`;
    if (!target.isSigned)
      throw new CheckFailed(
        `answered status ${status}: for signed calls (auth: iam) name the agent's settings with -c FILE`,
      );
    throw new CheckFailed(
      statusError({ ...answer, date: answer.date }, true, Date.now()).message.replace('backend: ', ''),
    );
  },
  health: async (target) => {
    const { status } = await target.get(ENDPOINTS.health.path);
    if (status !== 200) throw new CheckFailed(`GET ${ENDPOINTS.health.path} answered status ${status} instead of 200`);
    return `GET ${ENDPOINTS.health.path} answers 200`;
  },
  check: async (target, { lists }) => {
    lookedUp(await target.check({ lists: [...lists], subjects: [IPV4] }), [IPV4]);
    return 'one subject is answered as in the contract';
  },
  'content-type': async (target, { lists }) => {
    const { contentType } = await target.check({ lists: [...lists], subjects: [IPV4] });
    if (!/^application\/json\s*(;|$)/i.test(contentType))
      throw new CheckFailed(`content-type is "${contentType}" instead of application/json`);
    return contentType;
  },
  ttl: async (target, { lists }) => {
    const { ttl } = responseOf(await target.check({ lists: [...lists], subjects: [IPV4] }));
    return ttl === 0 ? '0: the agent asks again for every request' : `${ttl} seconds`;
  },
  order: async (target, { lists }) => {
    const subjects = Array.from({ length: 20 }, (_, index) => `ip:192.0.2.${(index * 7) % 20}`);
    verdictsOf(await target.check({ lists: [...lists], subjects }), subjects);
    return 'verdicts come in the order of the subjects';
  },
  repeated: async (target, { lists }) => {
    const subjects = [IPV4, IPV6, IPV4];
    verdictsOf(await target.check({ lists: [...lists], subjects }), subjects);
    return 'a subject asked twice is answered twice';
  },
  ipv6: async (target, { lists }) => {
    lookedUp(await target.check({ lists: [...lists], subjects: [IPV6] }), [IPV6]);
    return `${IPV6} is answered in this spelling`;
  },
  kinds: async (target, { lists }) => {
    lookedUp(await target.check({ lists: [...lists], subjects: KINDS }), KINDS);
    return `${KINDS.length} kinds other than ip are answered`;
  },
  'long-subject': async (target, { lists }) => {
    const subjects = [`path:/${'x'.repeat(1018)}`];
    lookedUp(await target.check({ lists: [...lists], subjects }), subjects);
    return 'a subject of 1024 bytes is answered';
  },
  'hundred-subjects': async (target, { lists }) => {
    const subjects = Array.from({ length: MAX_SUBJECTS }, (_, index) => `ip:198.51.100.${index}`);
    lookedUp(await target.check({ lists: [...lists], subjects }), subjects);
    return `${MAX_SUBJECTS} subjects in one call are answered`;
  },
  'unknown-list': async (target) => {
    const [verdict] = lookedUp(await target.check({ lists: [NO_LIST], subjects: [IPV4] }), [IPV4]);
    if (verdict?.entry !== null) throw new CheckFailed(`list ${NO_LIST} does not exist, but an entry was returned`);
    return 'a list that does not exist has no entries';
  },
  'unknown-kind': async (target, { lists }) => {
    const subjects = ['moon:full', IPV4];
    const [, neighbour] = verdictsOf(await target.check({ lists: [...lists], subjects }), subjects);
    if (neighbour?.error !== undefined)
      throw new CheckFailed(`the subject beside it was not looked up: ${neighbour.error}`);
    return 'an unknown kind does not fail the other subjects';
  },
  'unknown-fields': async (target, { lists }) => {
    const later = { lists: [...lists], subjects: [IPV4], version: 2, hints: { region: 'eu' } };
    lookedUp(await target.check(later), [IPV4]);
    return 'fields of a later version are ignored';
  },
  listed: async (target, { lists, listed }) => {
    if (listed === undefined) return { skipped: 'name a subject that has an entry: --listed SUBJECT' };
    const [verdict] = lookedUp(await target.check({ lists: [...lists], subjects: [listed] }), [listed]);
    if (!verdict?.entry) throw new CheckFailed(`no entry for ${listed} in ${lists.join(', ')}`);
    expectEntry(verdict.entry, listed, lists);
    const elsewhere = lookedUp(await target.check({ lists: [NO_LIST], subjects: [listed] }), [listed]);
    if (elsewhere[0]?.entry) throw new CheckFailed(`the entry for ${listed} is also returned for list ${NO_LIST}`);
    return `${verdict.entry.action} by ${verdict.entry.subject} in ${verdict.entry.list}, and only there`;
  },
  shadow: async (target, { lists, listed }) => {
    const subjects = [listed ?? IPV4];
    const asked = { lists: [...lists], subjects };
    const [verdict] = lookedUp(await target.check({ ...asked, shadowLists: [...lists] }), subjects);
    if (!verdict?.entry) return 'shadowLists is accepted, but no entry was found';
    const { action, shadow } = verdict.entry;
    if (action !== 'log') return 'shadowLists is ignored: do not let such a list hide entries of others';
    const [enforced] = lookedUp(await target.check(asked), subjects);
    const would = enforced?.entry?.action;
    if (would !== 'log' && shadow !== would)
      throw new CheckFailed(`in shadow mode it would ${shadow}, but otherwise it does ${would}`);
    return `an entry in shadow mode is returned as log, and would ${shadow ?? 'log'}`;
  },
  'list-actions': async (target, { lists, listed, listActions = {} }) => {
    const subjects = [listed ?? IPV4];
    const held = async (actions: readonly string[]) => {
      const listActions = Object.fromEntries(lists.map((list) => [list, [...actions]]));
      const [verdict] = lookedUp(await target.check({ lists: [...lists], subjects, listActions }), subjects);
      return verdict?.entry;
    };
    const entry = await held(ACTIONS);
    if (!entry) return 'listActions is accepted, but no entry was found';
    const other = await held(ACTIONS.filter((action) => action !== entry.action));
    if (other?.action !== entry.action)
      return `an entry with action ${entry.action} does not count if its list is not allowed that action`;
    const ignored = 'listActions is ignored: an entry that its list is not allowed hides entries of others';
    if (Object.keys(listActions).length > 0) throw new CheckFailed(ignored);
    return ignored;
  },
  'too-many-subjects': async (target, { lists }) => {
    const subjects = Array.from({ length: MAX_SUBJECTS + 1 }, (_, index) => `ip:198.51.100.${index}`);
    return expectRefusal(await target.misuse('POST', ENDPOINTS.check.path, JSON.stringify({ lists, subjects })));
  },
  'no-subjects': async (target, { lists }) =>
    expectRefusal(await target.misuse('POST', ENDPOINTS.check.path, JSON.stringify({ lists, subjects: [] }))),
  'no-lists': async (target) =>
    expectRefusal(await target.misuse('POST', ENDPOINTS.check.path, JSON.stringify({ lists: [], subjects: [IPV4] }))),
  'wrong-types': async (target, { lists }) =>
    expectRefusal(await target.misuse('POST', ENDPOINTS.check.path, JSON.stringify({ lists, subjects: [7] }))),
  'bad-json': async (target) =>
    expectRefusal(await target.misuse('POST', ENDPOINTS.check.path, '{"lists":["manual"],')),
  'empty-body': async (target) => expectRefusal(await target.misuse('POST', ENDPOINTS.check.path)),
  'wrong-method': async (target) => expectRefusal(await target.misuse('PUT', ENDPOINTS.check.path, '{}')),
  'wrong-path': async (target) => {
    const { status } = await target.misuse('GET', '/v1/no-such-path');
    if (status !== 404) throw new CheckFailed(`answered status ${status} instead of 404`);
    return 'status 404';
  },
  ...UPDATES_CHECKS,
  ...MIRROR_CHECKS,
  'no-internals': async ({ refusals }) => {
    const chatty = refusals.find(({ text }) =>
      /^\s+at .+:\d+|Traceback|node_modules|\.(js|ts|py|go|rb):\d+/m.test(text),
    );
    if (chatty !== undefined)
      throw new CheckFailed(`a status ${chatty.status} shows internals: ${firstLine(chatty.text)}`);
    return 'no error response shows internals';
  },
  parallel: async (target, { lists }) => {
    const subjects = Array.from({ length: 32 }, (_, index) => [`ip:203.0.113.${index}`, `ip:2001:db8::${index + 1}`]);
    const answers = await Promise.all(subjects.map((pair) => target.check({ lists: [...lists], subjects: pair })));
    answers.forEach((answer, index) => void lookedUp(answer, subjects[index] ?? []));
    return `${subjects.length} parallel calls each get their own answer`;
  },
  entries: async ({ exchanges }) => {
    const found = exchanges.flatMap(({ request, answer }) =>
      answer.status === 200 ? responseOf(answer).verdicts.map((verdict) => ({ ...verdict, lists: request.lists })) : [],
    );
    for (const { subject, entry, lists } of found) if (entry) expectEntry(entry, subject, lists);
    const entries = found.filter(({ entry }) => entry).length;
    return entries === 0 ? NO_ENTRIES : `${plural(entries, 'entry')}, all from the lists asked`;
  },
  outcomes: async ({ exchanges }) => {
    const entries = entriesIn(exchanges);
    for (const entry of entries) {
      const problem = entryProblem(entry);
      if (problem !== undefined)
        throw new CheckFailed(`the entry for "${entry.subject}" cannot be sent to HAProxy: ${problem}`);
    }
    return entries.length === 0 ? NO_ENTRIES : `${plural(entries.length, 'entry')} valid for HAProxy`;
  },
  'valid-answers': async ({ exchanges, refusals }) => {
    for (const answer of [...exchanges.map((exchange) => exchange.answer), ...refusals])
      if (answer.status >= 200 && answer.status < 300) responseOf(answer);
    return 'every answer with status 200 follows the contract';
  },
  latency,
};

function entriesIn(exchanges: Target['exchanges']): Entry[] {
  const answers = exchanges.map(({ answer }) => answer).filter(({ status }) => status === 200);
  return answers.flatMap((answer) => responseOf(answer).verdicts.flatMap(({ entry }) => entry ?? []));
}

function firstLine(text: string): string {
  return JSON.stringify(text.trim().slice(0, 80));
}
