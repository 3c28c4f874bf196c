/** Every format that can be read. */
export const FORMATS = [
  'plain',
  'csv',
  'json',
  'ndjson',
  'spamhaus',
  'abuseipdb',
  'crowdsec',
  'haproxy',
  'aws-waf',
] as const;
export type Format = (typeof FORMATS)[number];
