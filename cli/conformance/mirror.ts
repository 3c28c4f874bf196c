import { createHash } from 'node:crypto';
import { firstProblem } from '../../blocklist/schema-problem.ts';
import { ENDPOINTS } from '../../contract/check.ts';
import { Mirror, mirrorProblem, mirrorQuery, type Segment, segmentPath } from '../../contract/mirror.ts';
import { updatesQuery } from '../../contract/updates.ts';
import { classHash, classText, expiryWord, type Hash, ListDigest } from '../../updates/digest.ts';
import { SegmentError, SegmentReader } from '../../updates/segment-reader.ts';
import { CheckFailed, expectRefusal, jsonOf } from './expect.ts';
import type { Answer, CheckOptions, Target } from './target.ts';

const NO_ID = 'haverdictnosuchmirror';
const NO_MIRROR = { skipped: 'the backend has no mirror (404): agents ask about each subject' };
const NOT_YET = { skipped: 'the backend has no mirror yet (503)' };

type Seen = string | typeof NO_MIRROR;

/** `GET /v1/mirror` is optional; these are skipped for a backend without it. */
export const MIRROR_CHECKS = {
  mirror: whereSupported(async (target, { lists }, answer) => {
    const mirror = manifestOf(answer, lists);
    const after = await target.get(
      `${ENDPOINTS.updates.path}?${updatesQuery({ lists: [...lists], after: mirror.cursor })}`,
    );
    if (after.status !== 200) throw new CheckFailed(`its cursor is answered with status ${after.status}`);
    return `${mirror.segments.length} segments, and updates go on from its cursor`;
  }),
  'mirror-segments': whereSupported(async (target, { lists }, answer) => {
    const { id, segments, lists: states } = manifestOf(answer, lists);
    const digests = new Map(lists.map((list) => [list, new ListDigest()]));
    for (const segment of segments) {
      const digest = digests.get(segment.list);
      if (digest !== undefined) readSegment(await target.get(segmentPath(id, segment.n)), segment, digest);
    }
    for (const [list, { state }] of digests)
      if (state.digest !== states[list]?.digest || state.count !== states[list].count)
        throw new CheckFailed(`list ${list} has digest ${states[list]?.digest}, its segments have ${state.digest}`);
    const { status } = await target.get(segmentPath(NO_ID, 0));
    if (status !== 404) throw new CheckFailed(`a segment of nobody was answered with status ${status} instead of 404`);
    return `${segments.reduce((sum, { entries }) => sum + entries, 0)} entries, with the digests of the manifest`;
  }),
  'mirror-lists': whereSupported(async (target) => expectRefusal(await target.misuse('GET', ENDPOINTS.mirror.path))),
} satisfies Record<string, (target: Target, asked: CheckOptions) => Promise<Seen>>;

function whereSupported(check: (target: Target, asked: CheckOptions, answer: Answer) => Promise<string>) {
  return async (target: Target, asked: CheckOptions): Promise<Seen> => {
    const answer = await target.get(`${ENDPOINTS.mirror.path}?${mirrorQuery({ lists: [...asked.lists] })}`);
    if (answer.status === 404) return NO_MIRROR;
    return answer.status === 503 ? NOT_YET : await check(target, asked, answer);
  };
}

function manifestOf(answer: Answer, lists: readonly string[]): Mirror {
  if (answer.status !== 200) throw new CheckFailed(`answered status ${answer.status} instead of 200`);
  const json = jsonOf(answer);
  const parsed = Mirror.safeParse(json);
  if (!parsed.success) throw new CheckFailed(firstProblem(parsed.error, json));
  const problem = mirrorProblem(parsed.data, lists);
  if (problem !== undefined) throw new CheckFailed(problem);
  return parsed.data;
}

/** Adds the entries of a segment to the digest of its list. */
function readSegment({ status, text }: Answer, { n, bytes, digest, entries }: Segment, sum: ListDigest): void {
  const named = `segment ${n}`;
  if (status !== 200) throw new CheckFailed(`${named} was answered with status ${status} instead of 200`);
  const received = Buffer.from(text);
  if (received.length !== bytes) throw new CheckFailed(`${named} has ${received.length} bytes instead of ${bytes}`);
  if (createHash('sha256').update(received).digest('hex') !== digest)
    throw new CheckFailed(`${named} has another SHA-256 than the manifest says`);
  const before = sum.state.count;
  let hash: Hash = { low: 0, high: 0 };
  const reader = new SegmentReader(received, {
    ofClass: (own) => {
      hash = classHash(classText(own));
    },
    ipv4: (address, prefix, expiresAt) => sum.ipv4(1, address, prefix, expiryWord(expiresAt), hash),
    entry: (key, subject, expiresAt) => sum.entry(1, key, subject, expiresAt, hash),
  });
  try {
    reader.read(Number.POSITIVE_INFINITY);
  } catch (error) {
    throw error instanceof SegmentError ? new CheckFailed(`${named}: ${error.message}`) : error;
  }
  const read = sum.state.count - before;
  if (read !== entries) throw new CheckFailed(`${named} has ${read} entries instead of ${entries}`);
}
