import { firstProblem } from '../../blocklist/schema-problem.ts';
import { ENDPOINTS } from '../../contract/check.ts';
import { pageProblem, UpdatesPage, type UpdatesRequest, updatesQuery } from '../../contract/updates.ts';
import { CheckFailed, expectRefusal, jsonOf } from './expect.ts';
import type { Answer, CheckOptions, Target } from './target.ts';

const NO_CURSOR = 'haverdict-no-such-cursor';
const NO_UPDATES = { skipped: 'the backend has no updates (404): the agent learns of a change when an answer ends' };

type Seen = string | typeof NO_UPDATES;

/** `GET /v1/updates` is optional; these are skipped for a backend without it. */
export const UPDATES_CHECKS = {
  updates: whereSupported(async (target, { lists }) => {
    const first = pageOf(await poll(target, { lists: [...lists] }), lists);
    if (first.changes.length > 0) throw new CheckFailed('a request without a cursor was answered with changes');
    const next = await poll(target, { lists: [...lists], after: first.cursor });
    const { provenAgeMs } = pageOf(next, lists);
    const proof = provenAgeMs === null ? 'nothing proves that it is complete' : `proven up to ${provenAgeMs} ms ago`;
    return `its own cursor is answered as in the contract, ${proof}`;
  }),
  'updates-cursor': whereSupported(async (target, { lists }) => {
    const { status } = await poll(target, { lists: [...lists], after: NO_CURSOR });
    if (status !== 410) throw new CheckFailed(`a cursor of nobody was answered with status ${status} instead of 410`);
    return 'a cursor that is not in the log is answered 410';
  }),
  'updates-lists': whereSupported(async (target) => expectRefusal(await target.misuse('GET', ENDPOINTS.updates.path))),
} satisfies Record<string, (target: Target, asked: CheckOptions) => Promise<Seen>>;

function whereSupported(check: (target: Target, asked: CheckOptions) => Promise<string>) {
  return async (target: Target, asked: CheckOptions): Promise<Seen> => {
    const { status } = await poll(target, { lists: [...asked.lists] });
    return status === 404 ? NO_UPDATES : await check(target, asked);
  };
}

function poll(target: Target, request: UpdatesRequest): Promise<Answer> {
  return target.get(`${ENDPOINTS.updates.path}?${updatesQuery(request)}`);
}

function pageOf(answer: Answer, lists: readonly string[]): UpdatesPage {
  if (answer.status !== 200) throw new CheckFailed(`answered status ${answer.status} instead of 200`);
  const json = jsonOf(answer);
  const parsed = UpdatesPage.safeParse(json);
  if (!parsed.success) throw new CheckFailed(firstProblem(parsed.error, json));
  const problem = pageProblem(parsed.data, lists);
  if (problem !== undefined) throw new CheckFailed(problem);
  return parsed.data;
}
