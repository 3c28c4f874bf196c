import { MAX_SUBJECTS } from '../contract/check.ts';
import { isRegion } from './aws-region.ts';
import { isObject, listOf, map, oneOf, text, wholeNumber } from './fields.ts';

const URL_FORM = 'an http or https URL without user, query and fragment';
const backendUrl = text(URL_FORM, isBackendUrl).transform((url) => url.replace(/\/+$/, ''));
export const backend = map({
  url: backendUrl.optional().describe('The function that looks subjects up.'),
  urls: listOf(backendUrl, 8, 'such URLs')
    .refine((urls) => new Set(urls).size === urls.length, 'without a URL that is there twice')
    .optional()
    .describe('Instead of `backend.url`, several such functions: the first that answers is asked.'),
  auth: oneOf(['none', 'iam']).prefault('none').describe('iam signs the calls with the AWS credentials of this host.'),
  region: text('a region like eu-central-1', isRegion)
    .optional()
    .describe('What calls are signed for where the URL does not say it; AWS_REGION if this is not set either.'),
  timeoutMs: wholeNumber(1, 60_000).prefault(2000).describe('How long one call to the function may take.'),
  maxConcurrent: wholeNumber(1, 1000).prefault(32).describe('How many calls to the function may run at a time.'),
  maxCallsPerSecond: wholeNumber(1, 100_000)
    .prefault(500)
    .describe('How many calls to the function may be made a second, whatever comes in: the ceiling of the bill.'),
  maxKeysPerSecond: wholeNumber(1, 1_000_000)
    .prefault(2000)
    .describe(
      'How many keys of the table a second new values may cost that clients choose: of all kinds but ip, asn and country.',
    ),
  degradedPercent: wholeNumber(1, 100)
    .prefault(5)
    .describe(
      'The agent says that it is degraded when more of the lookups of 10 seconds are decided by policy, of at least 20.',
    ),
  batch: map({
    windowMs: wholeNumber(0, 100).prefault(1).describe('How long a lookup waits for others to share its call.'),
    maxSubjects: wholeNumber(1, MAX_SUBJECTS).prefault(100).describe('How many lookups share one call at most.'),
  }).prefault({}),
})
  .refine(hasUrl, { path: ['url'], error: URL_FORM, when: ({ value }) => isObject(value) })
  .refine(hasOneOfBoth, {
    path: ['urls'],
    error: 'left out where backend.url is set',
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
