const REGION = /^[a-z]{2,4}(-[a-z]+){1,2}-\d{1,2}$/;

/** The host of a function URL contains the region: `https://ID.lambda-url.REGION.on.aws`. */
const FUNCTION_HOST = /^[a-z0-9]+\.lambda-url\.([a-z0-9-]+)\.on\.aws\.?$/;

/** Checks the form only, so that new regions need no new version. */
export function isRegion(text: string): boolean {
  return REGION.test(text);
}

export function isFunctionUrl(url: string): boolean {
  return FUNCTION_HOST.test(new URL(url).hostname);
}

/** The region in a function URL. */
export function regionIn(url: string): string | undefined {
  const [, region] = FUNCTION_HOST.exec(new URL(url).hostname) ?? [];
  return region !== undefined && isRegion(region) ? region : undefined;
}
