import type { AgentState } from '../state/state.ts';
import { decisionRows } from './decision-totals.ts';
import { foreign, type Html, html } from './html.ts';
import { action } from './page-denies.ts';
import { atMost, bytes, count, moment, rate, seconds } from './page-format.ts';
import { bar, listSection, tableSection } from './page-table.ts';
import type { SnapshotInterval } from './snapshot-interval.ts';

const SHOWN_DECISIONS = 24;

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
    [...columns, { name: '/s', isNumber: true }, { name: 'since the start', isNumber: true }],
    cells,
    'No decisions yet.',
  );
}

export function backend({ backend, backendTime, takenAtMs }: AgentState): Html {
  return listSection('backend', 'Backend, since the start', [
    ...backend.urls.map((url) => ['URL', foreign(url)] as const),
    ['breaker', backend.breaker],
    ['calls', count(backend.calls)],
    ['subjects', count(backend.subjects)],
    ['p50, p99 of all calls', html`${atMost(backendTime, 0.5)}, ${atMost(backendTime, 0.99)}`],
    ['failed', counted(backend.failures)],
    ['skipped', counted(backend.refused)],
    ['in flight', count(backend.inFlight)],
    ['subjects queued', count(backend.queued)],
    ['throttled by maxCallsPerSecond', count(backend.budgetWaits)],
    ['entries ignored', count(backend.notCounted)],
    ['throttled by the backend', count(backend.throttled)],
    ['call limit', html`${rate(backend.callsPerSecond)} /s`],
    ['last error', lastError(backend, takenAtMs)],
  ]);
}

export function cache({ cache }: AgentState): Html {
  return listSection('cache', 'Cache, since the start', [
    ['subjects', html`${count(cache.entries)} of ${count(cache.maxEntries)}${bar(cache.entries / cache.maxEntries)}`],
    ['memory', bytes(cache.bytes)],
    ['hits', count(cache.hits)],
    ['misses', count(cache.misses)],
    ['stale', count(cache.stale)],
    ['evicted', count(cache.evicted)],
  ]);
}

/** How changes of the lists reach this agent, and the lists in its memory. */
export function updates({ updates, mirror }: AgentState): Html {
  const lists = Object.entries(mirror.entries);
  return listSection('updates', 'Updates and mirror', [
    ['updates', stateText(updates.state)],
    ...(updates.state === 'off'
      ? []
      : ([
          ['changes applied', count(updates.changes)],
          ['proven up to', age(updates.ageSeconds)],
        ] as const)),
    ['mirror', stateText(mirror.state)],
    ...(mirror.state === 'off'
      ? []
      : ([
          ['proven up to', age(mirror.ageSeconds)],
          ['memory', bytes(mirror.bytes)],
          ...lists.map(([list, entries]) => [`list ${list}`, html`${count(entries)} entries`] as const),
        ] as const)),
  ]);
}

/** With a sign beside the colour where something is wrong. */
function stateText(state: AgentState['updates' | 'mirror']['state']): Html {
  if (state === 'live') return html`● live`;
  return state === 'off' ? html`off` : html`<strong class="bad">▲ ${state}</strong>`;
}

export function haproxy({ spop, eventLoopLag, deadlineMargin }: AgentState): Html {
  const late = deadlineMargin.counts[0] ?? 0;
  const byStatus = Object.fromEntries(Object.entries(spop.errors).map(([code, times]) => [`status ${code}`, times]));
  return listSection('haproxy', 'HAProxy, since the start', [
    ['connections', html`${count(spop.connections)}, ${count(spop.accepted)} total`],
    ['frames answered', count(spop.frames)],
    ['answered late', count(late)],
    ['closed with an error', counted(byStatus)],
    ['health checks', count(spop.healthChecks)],
    ['event loop lag', html`p99 ${seconds(eventLoopLag.p99)}, max ${seconds(eventLoopLag.max)}`],
  ]);
}

/** How old the proof of the updates is. */
function age(ageSeconds: number | null): string {
  return ageSeconds === null ? 'nothing proven' : `${ageSeconds.toFixed(1)} s ago`;
}

function counted(counts: Readonly<Record<string, number>>): Html {
  const some = Object.entries(counts).filter(([, times]) => times > 0);
  if (some.length === 0) return html`0`;
  return html`${some.map(([name, times], index) => html`${index === 0 ? '' : ', '}${name}: ${count(times)}`)}`;
}

function lastError({ lastErrorAtMs, lastError }: AgentState['backend'], takenAtMs: number): Html {
  if (lastErrorAtMs === undefined || lastError === undefined) return html`none`;
  return html`${moment(lastErrorAtMs, takenAtMs)} UTC: ${foreign(lastError, 200)}`;
}
