import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HAPROXY_VERSIONS, type HaproxyVersion } from '../haproxy/versions.ts';
import { findHaproxy } from './haproxy.ts';

/** Debian suites with newer HAProxys, and the suites of their libraries. */
export const NEWER_SUITES = {
  trixie: [],
  sid: [],
  experimental: ['sid'],
} as const satisfies Record<string, readonly string[]>;
export type NewerSuite = keyof typeof NEWER_SUITES;

/** The folder in which `npm run haproxies` unpacks them, one subfolder each. */
export const BUILDS_FOLDER = join(import.meta.dirname, '..', '.cache', 'haproxy');

/** One HAProxy on this machine. */
export interface HaproxyBuild {
  readonly binary: string;
  /** As printed by `haproxy -v`, e.g. `3.2.26-1`. */
  readonly release: string;
  /** The version to generate the wiring for. */
  readonly version: HaproxyVersion;
}

/** The HAProxy of this system. */
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
  if (release === undefined) throw new Error(`${binary} -v prints no version: ${stderr || stdout}`);
  const version = HAPROXY_VERSIONS.find((known) => known === branch);
  if (version === undefined) throw new Error(`${binary} is HAProxy ${release}, which the wiring is not written for`);
  return { binary, release, version };
}
