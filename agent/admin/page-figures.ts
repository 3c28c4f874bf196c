import { KEPT_SECONDS, type Second } from '../state/last-minute.ts';
import type { AgentState } from '../state/state.ts';
import {
  byPolicy,
  byPolicyAfterFailure,
  cacheLookups,
  failed,
  isTooMany,
  totalDecisions,
  totalDenied,
} from './decision-totals.ts';
import { type Html, html } from './html.ts';
import { atMost, count, rate, seconds, share } from './page-format.ts';
import type { SnapshotInterval } from './snapshot-interval.ts';

const BREAKER_SIGNS = { closed: '●', probing: '▲', open: '■' } as const;
const NOTHING = html``;
const HEIGHT = 20;

/** The key figures, in large type, the most important with their last minute. */
export function figures(state: AgentState, interval: SnapshotInterval): Html {
  const { backend, degradation } = state;
  const decisionTime = interval.histogram((of) => of.decisionTime);
  const backendTime = interval.histogram((of) => of.backendTime);
  const perSecond = (pick: (of: AgentState) => number) => html`${rate(interval.perSecond(pick))} <small>/s</small>`;
  // Since the start there would always be an old problem in it.
  const isTooLarge = (part: (of: AgentState) => number, whole: (of: AgentState) => number) =>
    !interval.isSinceStart && isTooMany(interval.growth(part), interval.growth(whole), state);
  const spark = (pick: (second: Second) => number, tell: (value: number) => string) => sparkline(state, pick, tell);
  const times = (value: number) => `${rate(value)} a second`;
  return html`<dl id="figures" data-live>
${figure('Decisions', perSecond(totalDecisions), html`${count(totalDecisions(state))} total`, {
  spark: spark((of) => of.decisions, times),
})}
${figure(
  'Denied',
  perSecond(totalDenied),
  html`${share(interval.growth(totalDenied), interval.growth(totalDecisions))}, ${count(totalDenied(state))} total`,
  { spark: spark((of) => of.denied, times) },
)}
${figure(
  'By policy',
  html`${share(interval.growth(byPolicy), interval.growth(totalDecisions))}`,
  html`${count(byPolicy(state))} total`,
  {
    isBad: degradation.isDegraded || isTooLarge(byPolicyAfterFailure, lookups),
    spark: spark(
      (of) => (of.decisions === 0 ? 0 : of.byPolicy / of.decisions),
      (value) => share(value, 1),
    ),
  },
)}
${figure('Decision time p99', html`${atMost(decisionTime, 0.99)}`, html`p50 ${atMost(decisionTime, 0.5)}`, {
  spark: spark((of) => of.p99Seconds ?? 0, seconds),
})}
${state.mirror.state === 'off' ? hitRatio(state, interval) : mirror(state)}
${figure(
  'Backend calls',
  perSecond((of) => of.backend.calls),
  html`p99 ${atMost(backendTime, 0.99)}`,
)}
${figure('Failed calls', perSecond(failed), html`${count(failed(state))} total`, {
  isBad: isTooLarge(failed, (of) => of.backend.calls),
})}
${figure(
  'Breaker',
  html`${BREAKER_SIGNS[backend.breaker]} ${backend.breaker}`,
  html`${count(backend.queued)} queued, ${count(backend.throttled + backend.budgetWaits)} throttled`,
  { isBad: backend.breaker !== 'closed' },
)}
</dl>
`;
}

/** What needed more than fresh verdicts of the cache. */
function lookups(state: AgentState): number {
  const { hits, all } = cacheLookups(state);
  return all - hits;
}

function hitRatio(state: AgentState, interval: SnapshotInterval): Html {
  const total = cacheLookups(state);
  const hits = interval.growth((of) => cacheLookups(of).hits);
  const asked = interval.growth((of) => cacheLookups(of).all);
  return figure('Hit ratio', html`${share(hits, asked)}`, html`${share(total.hits, total.all)} total`);
}

/** With a mirror few ask the cache. */
function mirror({ mirror: { state, entries } }: AgentState): Html {
  const all = Object.values(entries).reduce((sum, of) => sum + of, 0);
  const isBad = state !== 'live';
  return figure('Mirror', html`${isBad ? '▲' : '●'} ${state}`, html`${count(all)} entries`, { isBad });
}

interface FigureOptions {
  readonly isBad?: boolean;
  readonly spark?: Html;
}

function figure(name: string, value: Html, more: Html, { isBad = false, spark = NOTHING }: FigureOptions = {}): Html {
  return html`<div${isBad ? html` class="bad"` : NOTHING}><dt>${name}</dt><dd>${value}</dd><dd>${more}</dd>${spark}</div>`;
}

/** A value in each of the last 60 seconds, from 0 to its greatest; seconds before the start are left out. */
function sparkline(
  { lastMinute }: AgentState,
  pick: (second: Second) => number,
  tell: (value: number) => string,
): Html {
  const newest = lastMinute.at(-1);
  const values = lastMinute.map(pick);
  const greatest = Math.max(0, ...values);
  const label =
    newest === undefined ? 'no seconds yet' : `last 60 s: at most ${tell(greatest)}, at last ${tell(pick(newest))}`;
  const points = lastMinute.map((second, index) => {
    const x = KEPT_SECONDS - 1 - ((newest?.atMs ?? 0) - second.atMs) / 1000;
    const y = greatest === 0 ? HEIGHT - 1 : HEIGHT - 1 - ((HEIGHT - 2) * (values[index] ?? 0)) / greatest;
    return `${x},${Number(y.toFixed(1))}`;
  });
  return html`<dd class="spark"><svg viewBox="0 0 ${KEPT_SECONDS - 1} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}"><title>${label}</title><polyline points="${points.join(' ')}"/></svg></dd>`;
}
