import { isRegion, regionIn } from './aws-region.ts';
import type { Finding } from './findings.ts';
import type { ConfigFile } from './schema.ts';
import type { Target } from './settings.ts';

type Backend = ConfigFile['backend'];

/** The function URLs in order of preference, each with the region that its calls are signed for. */
export function targetsOf({ url, urls, auth, region }: Backend, env: NodeJS.ProcessEnv): Target[] {
  const all = urls ?? (url === undefined ? [] : [url]);
  if (auth === 'none') return all.map((one) => ({ url: one }));
  const fallback = region ?? regionOf(env);
  return all.map((one) => {
    const found = regionIn(one) ?? fallback;
    return found === undefined ? { url: one } : { url: one, region: found };
  });
}

/** The region of `backend.region`, or that of the environment if a URL does not contain one. */
export function regionInForce({ url, urls, auth, region }: Backend, env: NodeJS.ProcessEnv): string | undefined {
  if (region !== undefined || auth === 'none') return region;
  const isMissing = (urls ?? (url === undefined ? [] : [url])).some((one) => regionIn(one) === undefined);
  return isMissing ? regionOf(env) : undefined;
}

function regionOf({ AWS_REGION }: NodeJS.ProcessEnv): string | undefined {
  return isRegion(AWS_REGION ?? '') ? AWS_REGION : undefined;
}

/** Signed calls need a region. */
export function missingRegions({ auth }: Backend, targets: readonly Target[]): Finding[] {
  const target = targets.find(({ region }) => region === undefined);
  if (auth === 'none' || target === undefined) return [];
  const message = `must be set, or AWS_REGION: calls are signed for a region, and ${target.url} does not contain one`;
  return [{ path: ['backend', 'region'], part: 'value', message }];
}
