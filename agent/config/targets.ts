import type { Finding } from './problems.ts';
import { isRegion, regionIn } from './region.ts';
import type { ConfigFile } from './schema.ts';
import type { Target } from './settings.ts';

type Backend = ConfigFile['backend'];

/** The functions that can be asked, in their order, with the regions that calls to them are signed for. */
export function targetsOf({ url, urls, auth, region }: Backend, env: NodeJS.ProcessEnv): Target[] {
  const all = urls ?? (url === undefined ? [] : [url]);
  if (auth === 'none') return all.map((one) => ({ url: one }));
  const fallback = region ?? (isRegion(env.AWS_REGION ?? '') ? env.AWS_REGION : undefined);
  return all.map((one) => {
    const found = regionIn(one) ?? fallback;
    return found === undefined ? { url: one } : { url: one, region: found };
  });
}

/** What is wrong where calls are to be signed and nobody says for which region. */
export function missingRegions({ auth }: Backend, targets: readonly Target[]): Finding[] {
  const target = targets.find(({ region }) => region === undefined);
  if (auth === 'none' || target === undefined) return [];
  const message = `must be set, or AWS_REGION: calls are signed for a region, and ${target.url} does not name its own`;
  return [{ path: ['backend', 'region'], part: 'value', message }];
}
