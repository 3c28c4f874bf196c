import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HAPROXY_VERSIONS, type HaproxyVersion } from '../haproxy/versions.ts';
import { findHaproxy } from './haproxy.ts';

/** Suites of Debian with a newer HAProxy than most systems have, and the suites that HAProxy's libraries come from. */
export const NEWER_SUITES = {
  trixie: [],
  sid: [],
  experimental: ['sid'],
} as const satisfies Record<string, readonly string[]>;
export type NewerSuite = keyof typeof NEWER_SUITES;

/** Where `npm run haproxies` unpacks them, a folder each. */
export const BUILDS_FOLDER = join(import.meta.dirname, '..', '.cache', 'haproxy');

/** One HAProxy on this machine. */
export interface HaproxyBuild {
  readonly binary: string;
  /** As it says itself, e.g. `3.2.26-1`. */
  readonly release: string;
  /** The version whose wiring it takes. */
  readonly version: HaproxyVersion;
}

/** The HAProxy that this system runs. */
export function systemBuild(): HaproxyBuild {
  return buildAt(findHaproxy());
}

/** The HAProxy of a newer suite, if it has been fetched. */
export function newerBuild(suite: NewerSuite): HaproxyBuild | undefined {
  const binary = join(BUILDS_FOLDER, suite, 'haproxy');
  return existsSync(binary) ? buildAt(binary) : undefined;
}

function buildAt(binary: string): HaproxyBuild {
  const { stdout, stderr } = spawnSync(binary, ['-v'], { encoding: 'utf8' });
  const [, release, branch] = /version ((\d+\.\d+)\S*)/.exec(stdout ?? '') ?? [];
  if (release === undefined) throw new Error(`${binary} -v tells no version: ${stderr || stdout}`);
  const version = HAPROXY_VERSIONS.find((known) => known === branch);
  if (version === undefined) throw new Error(`${binary} is HAProxy ${release}, which the wiring is not written for`);
  return { binary, release, version };
}
