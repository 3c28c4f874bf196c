import { MAX_SUBJECTS } from '../contract/check.ts';
import { isRegion } from './aws-region.ts';
import { isObject, map, oneOf, text, uniqueListOf, wholeNumber } from './fields.ts';

const URL_FORM = 'an http or https URL without user, query or fragment';
const backendUrl = text(URL_FORM, isBackendUrl).transform((url) => url.replace(/\/+$/, ''));
export const backend = map({
  url: backendUrl.optional().describe('The function that looks up subjects.'),
  urls: uniqueListOf(backendUrl, 8, 'http or https URLs')
    .optional()
    .describe('Instead of `backend.url`, several equivalent functions: the agent uses the first that works.'),
  auth: oneOf(['none', 'iam']).prefault('none').describe('`iam` signs calls with the AWS credentials of this host.'),
  region: text('a region like eu-central-1', isRegion)
    .optional()
    .describe('The region that calls are signed for if the URL does not name one. Without this setting, `AWS_REGION`.'),
  timeoutMs: wholeNumber(1, 60_000).prefault(2000).describe('The timeout of one call to the function.'),
  maxConcurrent: wholeNumber(1, 1000).prefault(32).describe('The maximum number of concurrent calls to the function.'),
  maxCallsPerSecond: wholeNumber(1, 100_000)
    .prefault(500)
    .describe('The maximum number of calls to the function per second, whatever the traffic: it caps the bill.'),
  maxKeysPerSecond: wholeNumber(1, 1_000_000)
    .prefault(2000)
    .describe(
      'The maximum number of table keys per second that are read for new values that clients can choose: of all kinds except ip, asn and country.',
    ),
  degradedPercent: wholeNumber(1, 100)
    .prefault(5)
    .describe(
      'The agent reports that it is degraded when the policy decides more than this share of at least 20 lookups in 10 seconds.',
    ),
  batch: map({
    windowMs: wholeNumber(0, 100).prefault(1).describe('How long a lookup waits for others to share its call.'),
    maxSubjects: wholeNumber(1, MAX_SUBJECTS).prefault(100).describe('The maximum number of lookups in one call.'),
  }).prefault({}),
})
  .refine(hasUrl, { path: ['url'], error: URL_FORM, when: ({ value }) => isObject(value) })
  .refine(hasOneOfBoth, {
    path: ['urls'],
    error: 'omitted if backend.url is set',
    when: ({ value }) => isObject(value),
  });

function hasUrl({ url, urls }: { readonly url?: unknown; readonly urls?: unknown }): boolean {
  return url !== undefined || urls !== undefined;
}

function hasOneOfBoth({ url, urls }: { readonly url?: unknown; readonly urls?: unknown }): boolean {
  return url === undefined || urls === undefined;
}

function isBackendUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}
