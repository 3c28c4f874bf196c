import { HAPROXY_VERSIONS, type HaproxyVersion } from '../haproxy/versions.ts';
import { didYouMean, editDistance } from './did-you-mean.ts';
// The output of `haproxy -dKsmp` and `haproxy -dKcnv`, 2.6 to 3.4, plus those of optional device databases; the test of
// this file reports what a newer HAProxy has in addition.
import NAMES from './sample-names.json' with { type: 'json' };

/** A likely error in an expression. Only an obvious typo keeps the agent from starting, as HAProxy checks the rest. */
export interface SampleProblem {
  readonly isTypo: boolean;
  readonly message: string;
}

/** A name, arguments up to the first closing parenthesis (HAProxy nests none without quotes), and a comma or the end. */
const STEP = /([^(),]*)(\([^)]*\)|)(,|$)/y;

/** The first problem of `FETCH(ARGS),CONVERTER(ARGS),…`. */
export function sampleProblem(expression: string, version: HaproxyVersion): SampleProblem | undefined {
  STEP.lastIndex = 0;
  for (let at = 0, isFirst = true; ; isFirst = false) {
    STEP.lastIndex = at;
    const [whole = '', name = '', , comma] = STEP.exec(expression) ?? [];
    if (whole === '' && at < expression.length) return malformed(expression, at);
    if (name === '') return malformed(expression, at);
    const problem = isFirst ? unknown(name, 'sample fetch', version) : unknown(name, 'converter', version);
    if (problem !== undefined || comma === '') return problem;
    at += whole.length;
  }
}

function malformed(expression: string, at: number): SampleProblem {
  const rest = expression.slice(at);
  const message = rest.includes('(') && !rest.includes(')') ? 'has an unclosed (' : 'does not have this form';
  return { isTypo: false, message: `must be FETCH(ARGS),CONVERTER(ARGS)…: "${expression}" ${message}` };
}

function unknown(name: string, what: 'sample fetch' | 'converter', version: HaproxyVersion): SampleProblem | undefined {
  const known = what === 'sample fetch' ? NAMES.fetches : NAMES.converters;
  if (known.includes(name) || name.startsWith('lua.')) return undefined;
  const typo = known.find((candidate) => isTypoOf(name, candidate));
  const meant = typo ?? didYouMean(name, known);
  const hint = meant === undefined ? '' : `, did you mean ${meant}?`;
  return {
    isTypo: typo !== undefined && isCovered(version),
    message: `"${name}" is not a ${what} of HAProxy up to ${NAMES.upTo}${hint}`,
  };
}

/** One wrong letter after the first. Digits do not count: a newer HAProxy may add `sha3` to `sha2`, or `bc_rtt` to `fc_rtt`. */
function isTypoOf(name: string, known: string): boolean {
  const letters = (text: string) => text.replaceAll(/\d/g, '');
  return name[0] === known[0] && letters(name) !== letters(known) && editDistance(name, known) === 1;
}

/** A version newer than our list may have names that are not in it. */
function isCovered(version: HaproxyVersion): boolean {
  const versions: readonly string[] = HAPROXY_VERSIONS;
  return versions.indexOf(version) <= versions.indexOf(NAMES.upTo);
}
