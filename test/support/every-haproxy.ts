import { describe, it } from 'node:test';
import { type HaproxyBuild, NEWER_SUITES, type NewerSuite, newerBuild, systemBuild } from '../../dev/haproxy-builds.ts';
import { hasNewer, hasUsual } from './scope.ts';

/** These tests once for each HAProxy that the scope of this run has: that of this system, and that of each newer suite. */
export function describeOnEveryHaproxy(title: string, tests: (build: HaproxyBuild) => void): void {
  if (hasUsual) {
    const system = systemBuild();
    describe(`${title} (HAProxy ${system.release})`, () => tests(system));
  }
  if (!hasNewer) return;
  for (const suite of Object.keys(NEWER_SUITES) as NewerSuite[]) {
    const build = newerBuild(suite);
    if (build !== undefined) describe(`${title} (HAProxy ${build.release} of ${suite})`, () => tests(build));
    else
      it(`${title} (HAProxy of ${suite})`, () => {
        throw new Error('not here: npm run test:tools fetches it');
      });
  }
}
