import type { AgentState, RecentDeny, TopSubject } from '../state/state.ts';
import {
  byPolicy,
  cacheLookups,
  decisionRows,
  failed,
  isDenial,
  totalDecisions,
  totalDenied,
} from './decision-totals.ts';
import { foreign, type Html, html } from './html.ts';
import { atMost, bytes, count, rate, seconds, share, timeOfDay } from './page-format.ts';
import { listSection, tableSection } from './page-table.ts';
import type { SnapshotInterval } from './snapshot-interval.ts';

const SHOWN_DECISIONS = 24;
const SHOWN_DENIES = 12;
const SHOWN_TOP = 10;
const MAX_SUBJECT = 100;

const BREAKER_SIGNS = { closed: '●', probing: '▲', open: '■' } as const;
const EMPTY = html``;

/** The key figures, in large type. */
export function figures(state: AgentState, interval: SnapshotInterval): Html {
  const { backend } = state;
  const total = cacheLookups(state);
  const hits = interval.growth((of) => cacheLookups(of).hits);
  const asked = interval.growth((of) => cacheLookups(of).all);
  const decisionTime = interval.histogram((of) => of.decisionTime);
  const backendTime = interval.histogram((of) => of.backendTime);
  const perSecond = (pick: (of: AgentState) => number) => html`${rate(interval.perSecond(pick))} <small>/s</small>`;
  // Rates since the start would always include an old problem.
  const grows = (pick: (of: AgentState) => number) => !interval.isSinceStart && interval.growth(pick) > 0;
  return html`<dl id="figures" data-live>
${figure('Decisions', perSecond(totalDecisions), html`${count(totalDecisions(state))} total`)}
${figure('Denied', perSecond(totalDenied), html`${count(totalDenied(state))} total`)}
${figure('By policy', perSecond(byPolicy), html`${count(byPolicy(state))} total`, grows(byPolicy))}
${figure('Hit ratio', html`${share(hits, asked)}`, html`${share(total.hits, total.all)} total`)}
${figure('Decision time p99', html`${atMost(decisionTime, 0.99)}`, html`p50 ${atMost(decisionTime, 0.5)}`)}
${figure(
  'Backend calls',
  perSecond((of) => of.backend.calls),
  html`p99 ${atMost(backendTime, 0.99)}`,
)}
${figure('Failed calls', perSecond(failed), html`${count(failed(state))} total`, grows(failed))}
${figure('Breaker', html`${BREAKER_SIGNS[backend.breaker]} ${backend.breaker}`, html`${count(backend.queued)} queued`, backend.breaker !== 'closed')}
</dl>
`;
}

function figure(name: string, value: Html, more: Html, isBad = false): Html {
  return html`<div${isBad ? html` class="bad"` : EMPTY}><dt>${name}</dt><dd>${value}</dd><dd>${more}</dd></div>`;
}

/** The table of decisions by message, action, source and list or reason. */
export function decisions(state: AgentState, before: AgentState | undefined, interval: SnapshotInterval): Html {
  const rows = decisionRows(state);
  const earlier = new Map(before === undefined ? [] : decisionRows(before).map((row) => [row.key, row.count]));
  const more = rows.length - SHOWN_DECISIONS;
  const cells = rows
    .slice(0, SHOWN_DECISIONS)
    .map((row) => [
      foreign(row.message),
      action(row.action),
      html`${row.source}`,
      foreign(row.because),
      html`${rate(Math.max(0, row.count - (earlier.get(row.key) ?? 0)) / interval.seconds)}`,
      count(row.count),
    ]);
  const columns = ['Message', 'Action', 'Source', 'List or reason'].map((name) => ({ name }));
  return tableSection(
    'decisions',
    more > 0 ? `Decisions; ${more} more rows in /metrics` : 'Decisions',
    [...columns, { name: '/s', isNumber: true }, { name: 'total', isNumber: true }],
    cells,
    'No decisions yet.',
  );
}

export function recentDenies({ recent }: AgentState): Html {
  const columns = ['UTC', 'Client', 'Subject', 'List', 'Reason', 'Action', 'Source', 'Reference'].map((name) => ({
    name,
  }));
  const cells = (deny: RecentDeny) => [
    timeOfDay(deny.atMs),
    foreign(deny.client ?? '', MAX_SUBJECT),
    foreign(deny.subject, MAX_SUBJECT),
    foreign(deny.list),
    foreign(deny.reason),
    html`${action(deny.action)} ${deny.status ?? ''}`,
    html`${deny.source}`,
    html`<code>${foreign(deny.ref)}</code>`,
  ];
  const rows = recent.slice(0, SHOWN_DENIES).map(cells);
  return tableSection('recent', 'Recent denies', columns, rows, 'Nothing has been denied yet.');
}

export function mostDenied({ top }: AgentState): Html {
  const most = top[0]?.count ?? 1;
  const columns = [
    ...['Subject', 'List', 'Last client'].map((name) => ({ name })),
    { name: 'Times', isNumber: true },
  ] as const;
  const cells = ({ subject, list, client = '', count: times }: TopSubject) => [
    html`${foreign(subject, MAX_SUBJECT)}${bar(times / most)}`,
    foreign(list),
    foreign(client, MAX_SUBJECT),
    count(times),
  ];
  const rows = top.slice(0, SHOWN_TOP).map(cells);
  return tableSection('top', 'Most denied', columns, rows, 'No subject of a list has been denied yet.');
}

export function backend({ backend, backendTime }: AgentState): Html {
  return listSection('backend', 'Backend', [
    ...backend.urls.map((url) => ['URL', foreign(url)] as const),
    ['breaker', backend.breaker],
    ['calls', count(backend.calls)],
    ['subjects', count(backend.subjects)],
    ['p50, p99', html`${atMost(backendTime, 0.5)}, ${atMost(backendTime, 0.99)}`],
    ['failed', counted(backend.failures)],
    ['skipped', counted(backend.refused)],
    ['in flight', count(backend.inFlight)],
    ['subjects queued', count(backend.queued)],
    ['throttled by maxCallsPerSecond', count(backend.budgetWaits)],
    ['entries ignored', count(backend.notCounted)],
    ['throttled by the backend', count(backend.throttled)],
    ['calls allowed', html`${rate(backend.callsPerSecond)} /s`],
    ['last error', lastError(backend)],
  ]);
}

export function cache({ cache, updates, mirror }: AgentState): Html {
  return listSection('cache', 'Cache', [
    ['subjects', html`${count(cache.entries)} of ${count(cache.maxEntries)}${bar(cache.entries / cache.maxEntries)}`],
    ['memory', bytes(cache.bytes)],
    ['hits', count(cache.hits)],
    ['misses', count(cache.misses)],
    ['stale', count(cache.stale)],
    ['evicted', count(cache.evicted)],
    ['updates', updates.state],
    ['changes', html`${count(updates.changes)}, proven up to ${age(updates.ageSeconds)}`],
    ['mirror', html`${mirror.state}, ${count(entriesOf(mirror))} entries, ${bytes(mirror.bytes)}`],
  ]);
}

export function haproxy({ spop, eventLoopLag, deadlineMargin }: AgentState): Html {
  const late = deadlineMargin.counts[0] ?? 0;
  const byStatus = Object.fromEntries(Object.entries(spop.errors).map(([code, times]) => [`status ${code}`, times]));
  return listSection('haproxy', 'HAProxy', [
    ['connections', html`${count(spop.connections)}, ${count(spop.accepted)} total`],
    ['frames answered', count(spop.frames)],
    ['answered late', count(late)],
    ['closed with an error', counted(byStatus)],
    ['health checks', count(spop.healthChecks)],
    ['event loop lag', html`p99 ${seconds(eventLoopLag.p99)}, max ${seconds(eventLoopLag.max)}`],
  ]);
}

function entriesOf({ entries }: AgentState['mirror']): number {
  return Object.values(entries).reduce((sum, of) => sum + of, 0);
}

/** How old the proof of the updates is. */
function age(ageSeconds: number | null): string {
  return ageSeconds === null ? 'no time' : `${ageSeconds.toFixed(1)} s ago`;
}

/** An action; a denying one has a sign beside its colour. */
function action(name: string): Html {
  return isDenial(name) ? html`<span class="stop">■ ${name}</span>` : html`${name}`;
}

function counted(counts: Readonly<Record<string, number>>): Html {
  const some = Object.entries(counts).filter(([, times]) => times > 0);
  if (some.length === 0) return html`0`;
  return html`${some.map(([name, times], index) => html`${index === 0 ? '' : ', '}${name}: ${count(times)}`)}`;
}

function lastError({ lastErrorAtMs, lastError }: AgentState['backend']): Html {
  if (lastErrorAtMs === undefined || lastError === undefined) return html`none`;
  return html`${timeOfDay(lastErrorAtMs)} UTC: ${foreign(lastError, 200)}`;
}

/** A bar for a number beside it. */
function bar(part: number): Html {
  const width = Math.round(100 * Math.min(1, Math.max(0, part)));
  return html`<svg class="bar" viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="2"/><rect width="${width}" height="2"/></svg>`;
}
