import { redactedSubject } from '../../contract/redact.ts';
import { plural } from '../output/plural.ts';
import { type Cell, table } from '../output/table.ts';
import type { Hit, ReplayResult } from './replay.ts';

/** What was replayed. */
export interface Replayed extends ReplayResult {
  readonly lines: number;
  readonly lists: readonly string[];
  readonly kinds: readonly string[];
  /** Kinds of the message that no log has. */
  readonly notLogged: readonly string[];
}

const HEADING = ['REQUESTS', 'CLIENTS', 'ACTION', 'LIST', 'ENTRY', 'LAST', 'REASON'] as const;

/** The result as text. */
export function reportLines(replayed: Replayed, top: number): string[] {
  const { requests, lines, denied, hits, kinds, notLogged, lists } = replayed;
  const without = lines - requests;
  const unread = without === 0 ? [] : [`${plural(without, 'line')} without a client and a time`];
  if (requests === 0) return ['no request in these logs', ...unread];
  const shown = hits.slice(0, top);
  const more = hits.length - shown.length;
  return [
    `${plural(requests, 'request')} of ${clientsText(replayed)}, ${timeText(replayed.firstMs)} to ${timeText(replayed.lastMs)}`,
    ...unread,
    `would be denied: ${plural(denied.requests, 'request')} (${percent(denied.requests, requests)}) of ${plural(denied.clients, 'client')}`,
    '',
    ...(hits.length === 0
      ? [`No entry of ${lists.join(', ')} applies to any of them.`]
      : [table(HEADING, shown.map(cellsOf))]),
    ...(more === 0 ? [] : [`and ${more} more that decide about fewer requests: see --top`]),
    '',
    `Looked up ${kinds.join(', ')}, every list as if it were enforced.`,
    ...(notLogged.length === 0
      ? []
      : [`A log does not have ${notLogged.join(', ')}: what these would decide is not shown.`]),
  ];
}

/** The result for `--json`. */
export function reportJson({ lines, requests, clients, hasMoreClients, denied, hits, ...rest }: Replayed, top: number) {
  return {
    lines,
    requests,
    clients,
    hasMoreClients,
    from: requests === 0 ? null : isoText(rest.firstMs),
    to: requests === 0 ? null : isoText(rest.lastMs),
    lists: rest.lists,
    kinds: rest.kinds,
    notLogged: rest.notLogged,
    denied,
    entries: hits.length,
    hits: hits.slice(0, top).map(({ entry, action, requests, clients, firstMs, lastMs }) => ({
      ...{ requests, clients, action, list: entry.list, entry: redactedSubject(entry.subject) },
      ...{ from: isoText(firstMs), to: isoText(lastMs), reason: entry.reason ?? null },
    })),
  };
}

function cellsOf({ entry, action, requests, clients, lastMs }: Hit): Cell[] {
  const named = redactedSubject(entry.subject);
  return [String(requests), String(clients), action, entry.list, named, timeText(lastMs), entry.reason ?? ''];
}

function clientsText({ clients, hasMoreClients }: ReplayResult): string {
  return hasMoreClients ? `more than ${plural(clients, 'client')} (more are not counted)` : plural(clients, 'client');
}

function percent(part: number, whole: number): string {
  const share = (part / whole) * 100;
  return `${share > 0 && share < 0.1 ? '< 0.1' : share.toFixed(1)} %`;
}

/** As the log has it: without a zone. */
function timeText(ms: number): string {
  return isoText(ms).replace('T', ' ').slice(0, 19);
}

function isoText(ms: number): string {
  return new Date(ms).toISOString();
}
