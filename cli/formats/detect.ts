import { isAction } from '../../contract/actions.ts';
import { headingIn } from './csv.ts';
import { isRecord } from './feed-record.ts';
import type { Format } from './format.ts';
import { SUBJECT_FIELDS } from './record-subject.ts';

/** The endings that say more than the first line does. */
const EXTENSIONS: Readonly<Record<string, Format>> = {
  acl: 'haproxy',
  map: 'haproxy',
  ipset: 'plain',
  netset: 'plain',
  csv: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
};

/** Which format this is, from its beginning and its name. */
export function detectFormat(head: Uint8Array, name: string): Format {
  const text = new TextDecoder().decode(head).trim();
  const named = EXTENSIONS[/\.([a-z]+)$/i.exec(pathOf(name))?.[1]?.toLowerCase() ?? ''];
  if (named === 'haproxy') return named;
  if (text.startsWith('{')) return formatOfObject(text);
  if (text.startsWith('[')) return /"decisions"\s*:|"scenario"\s*:/.test(text) ? 'crowdsec' : 'json';
  if (text === 'null') return 'crowdsec'; // what cscli prints where there is no decision
  if (text.startsWith('"')) return headingIn(firstLine(text)) === undefined ? 'ndjson' : 'csv';
  return named ?? formatOfLines(text);
}

function pathOf(name: string): string {
  return URL.canParse(name) ? new URL(name).pathname : name;
}

/** One object a line, or one object over several lines, of which only the beginning is here. */
function formatOfObject(text: string): Format {
  const first = parsed(firstLine(text));
  if (isRecord(first)) {
    if (first.type === 'metadata' || 'sblid' in first || 'asname' in first) return 'spamhaus';
    if (SUBJECT_FIELDS.some((field) => field in first)) return 'ndjson';
  }
  const has = (field: string) => (isRecord(first) ? field in first : text.includes(`"${field}"`));
  if (has('result')) return 'json';
  if (has('IPSet') || has('Addresses')) return 'aws-waf';
  if (has('data') || has('abuseConfidenceScore') || has('errors')) return 'abuseipdb';
  return isRecord(first) ? 'ndjson' : 'json';
}

/** By the first line that is no comment. */
function formatOfLines(text: string): Format {
  const lines = text.split('\n').map((line) => line.trim());
  const first = lines.find((line) => line !== '' && !/^[#;]/.test(line)) ?? '';
  if (/[,;\t]/.test(first) && headingIn(first) !== undefined) return 'csv';
  const [, value = ''] = /^\S+\s+(\S+)$/.exec(first) ?? [];
  return isAction(value) ? 'haproxy' : 'plain';
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? '';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
