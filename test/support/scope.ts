import { networkInterfaces } from 'node:os';
import { describe } from 'node:test';

/**
 * Which tests a run registers. `usual`: what this system's HAProxy and the embedded DynamoDB show, in minutes. `newer`: what
 * only newer HAProxys, the second engine, Chromium, promtool, and the packages installed or run show, and the longer rows of
 * some tables. `all`: both, long, and with what takes minutes.
 */
export type Scope = 'usual' | 'newer' | 'all';

const named = process.env.TEST_SCOPE ?? 'usual';
if (named !== 'usual' && named !== 'newer' && named !== 'all')
  throw new Error(`TEST_SCOPE is ${named}: usual, newer or all would be right`);

export const SCOPE: Scope = named;

export const hasUsual = SCOPE !== 'newer';
export const hasNewer = SCOPE !== 'usual';

/** So many runs in `all`, fewer otherwise: a tenth of them where nothing else is said. */
export function longRuns(count: number, usual = Math.ceil(count / 10)): number {
  return SCOPE === 'all' ? count : usual;
}

/** Tests of a file that also has some in `newer`, where these would be run once more. */
export function describeUsual(title: string, tests: () => void): void {
  if (hasUsual) describe(title, tests);
}

/** Tests that need what `newer` brings, or that take long for what they say beside those of `usual`. */
export function describeNewer(title: string, tests: () => void | Promise<void>): void {
  if (hasNewer) describe(title, tests);
}

/** Whom this run can play: a test for the other user is not registered, and `test:all` runs its file a second time as that. */
export const isRoot = process.getuid?.() === 0;

/** Containers often have none: what needs it is not registered there, and the last line of a run says so. */
export const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
