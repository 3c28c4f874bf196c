import { ABUSEIPDB } from './abuseipdb.ts';
import { AWS_WAF } from './aws-waf.ts';
import { CROWDSEC } from './crowdsec.ts';
import { CSV } from './csv.ts';
import { beginningOf, type FeedFormat } from './feed-format.ts';
import { HAPROXY } from './haproxy.ts';
import { IPSET_SAVE } from './ipset-save.ts';
import { JSON_DOCUMENT } from './json.ts';
import { NDJSON } from './ndjson.ts';
import { NFTABLES } from './nftables.ts';
import { PLAIN } from './plain.ts';
import { SPAMHAUS } from './spamhaus.ts';

/** All formats that can be read, in the order of detection. */
const FORMATS = {
  spamhaus: SPAMHAUS,
  ndjson: NDJSON,
  json: JSON_DOCUMENT,
  'aws-waf': AWS_WAF,
  abuseipdb: ABUSEIPDB,
  crowdsec: CROWDSEC,
  nftables: NFTABLES,
  csv: CSV,
  'ipset-save': IPSET_SAVE,
  haproxy: HAPROXY,
  plain: PLAIN,
} as const satisfies Record<string, FeedFormat>;

export type FormatName = keyof typeof FORMATS;
export const FORMAT_NAMES = Object.keys(FORMATS) as readonly FormatName[];

export function formatOf(name: FormatName): FeedFormat {
  return FORMATS[name];
}

/** Detects the format from the beginning of the content and the file name. */
export function detectFormat(head: Uint8Array, name: string): FormatName {
  const extension = /\.([a-z]+)$/i.exec(pathOf(name))?.[1]?.toLowerCase() ?? '';
  const named = find(({ extensions }) => extensions?.includes(extension) ?? false);
  if (named !== undefined && formatOf(named).isByExtension) return named;
  const beginning = beginningOf(head);
  const certain = find(({ isUnmistakable, matches }) => isUnmistakable === true && (matches?.(beginning) ?? false));
  if (certain !== undefined) return certain;
  if (named !== undefined && ['lines', 'string'].includes(beginning.shape)) return named;
  return (
    find(({ matches }) => matches?.(beginning) ?? false) ??
    find(({ defaultFor }) => defaultFor?.includes(beginning.shape) ?? false) ??
    'plain'
  );
}

function find(isIt: (format: FeedFormat) => boolean): FormatName | undefined {
  return FORMAT_NAMES.find((name) => isIt(formatOf(name)));
}

function pathOf(name: string): string {
  return URL.canParse(name) ? new URL(name).pathname : name;
}
