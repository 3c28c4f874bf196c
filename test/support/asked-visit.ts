import type { Site } from '../../dev/guarded-site.ts';
import type { Visit } from '../../dev/visit.ts';

/** A visit that the agent was asked about: on a busy machine a process may be stopped for longer than HAProxy waits. */
export async function askedVisit(site: Site, from: string): Promise<Visit> {
  let visit = await site.visit(from);
  for (let time = 0; time < 3 && visit.headers['x-haverdict-error'] === '1'; time++) visit = await site.visit(from);
  return visit;
}

/** A visit that was decided by who knows: on a busy machine the function may be late, and then the policy decides. */
export async function decidedVisit(site: Site, from: string): Promise<Visit> {
  let visit = await askedVisit(site, from);
  for (let time = 0; time < 3 && visit.headers['x-haverdict-reason'] === 'timeout'; time++)
    visit = await askedVisit(site, from);
  return visit;
}
