import { describe, it } from 'node:test';
import { type HaproxyBuild, NEWER_SUITES, type NewerSuite, newerBuild, systemBuild } from '../../dev/haproxy-builds.ts';

/** These tests once for each HAProxy: that of this system, and that of each newer suite that has been fetched. */
export function describeOnEveryHaproxy(title: string, tests: (build: HaproxyBuild) => void): void {
  const system = systemBuild();
  describe(`${title} (HAProxy ${system.release})`, () => tests(system));
  for (const suite of Object.keys(NEWER_SUITES) as NewerSuite[]) {
    const build = newerBuild(suite);
    if (build !== undefined) describe(`${title} (HAProxy ${build.release} of ${suite})`, () => tests(build));
    else it(`${title} (HAProxy of ${suite})`, { skip: 'not here: npm run haproxies fetches it' }, () => {});
  }
}
