import type { Second } from '../state/last-minute.ts';
import type { AgentState } from '../state/state.ts';
import { mayListedPass } from './backend-problem.ts';
import {
  byPolicy,
  byPolicyAfterFailure,
  cacheLookups,
  failed,
  isTooMany,
  totalDecisions,
  totalDenied,
} from './decision-totals.ts';
import { health } from './health.ts';
import { type Html, html } from './html.ts';
import { atMost, count, rate, seconds, share, timeOfDay } from './page-format.ts';
import { type Pick, scaleOf, sparkline } from './page-sparkline.ts';
import type { SnapshotInterval } from './snapshot-interval.ts';

const NOTHING = html``;
/** The mean of fewer seconds says nothing. */
const FEWEST_BEFORE = 5;

interface Figure {
  readonly name: string;
  readonly value: Html;
  readonly more: Html;
  readonly tone?: 'bad' | 'wait' | undefined;
  readonly line?: { readonly of: Pick; readonly tell: (value: number) => string };
}

/** The key figures, in large type, the most important with their last minute. */
export function figures(state: AgentState, interval: SnapshotInterval): Html {
  const all = [
    decisions(interval),
    denied(state, interval),
    policy(state, interval),
    decisionTime(state, interval),
    state.updates.state === 'off' && state.mirror.state === 'off' ? hitRatio(interval) : updates(state, interval),
    backend(state, interval),
  ];
  const lastMinute = totalDecisions(state) === 0 ? [] : state.lastMinute;
  return html`<dl id="figures" data-live>\n${all.map((figure) => markup(figure, lastMinute))}</dl>\n`;
}

function markup({ name, value, more, tone, line }: Figure, lastMinute: readonly Second[]): Html {
  const greatest = line === undefined ? undefined : scaleOf(lastMinute, line.of);
  const scale =
    line === undefined || greatest === undefined
      ? NOTHING
      : html`<dd>${greatest === 0 ? '0' : `0 to ${line.tell(greatest)}`} in 60 s</dd>`;
  const spark = line === undefined ? NOTHING : sparkline(lastMinute, line.of, line.tell);
  return html`<div${tone === undefined ? NOTHING : html` class="${tone}"`}><dt>${name}</dt><dd>${value}</dd><dd>${more}</dd>${spark}${scale}</div>\n`;
}

function decisions(interval: SnapshotInterval): Figure {
  const line = { of: (second: Second) => second.decisions, tell: perSecond };
  return { name: 'Decisions', value: rateOf(interval.perSecond(totalDecisions)), more: html`requests checked`, line };
}

/** Not to be read as calm while listed clients may pass. */
function denied(state: AgentState, interval: SnapshotInterval): Figure {
  const isIncomplete = mayListedPass(state);
  const part = html`${share(interval.growth(totalDenied), interval.growth(totalDecisions))} of all`;
  return {
    name: 'Denied',
    value: rateOf(interval.perSecond(totalDenied)),
    more: isIncomplete ? (deniedBefore(state) ?? html`listed may pass`) : part,
    tone: isIncomplete ? 'bad' : undefined,
    line: { of: (second) => second.denied, tell: perSecond },
  };
}

/** The rate of denies before an episode, if the last minute has it. */
function deniedBefore({ lastMinute, degradation: { sinceMs } }: AgentState): Html | undefined {
  if (sinceMs === undefined) return undefined;
  const before = lastMinute.filter(({ atMs }) => atMs + 1000 <= sinceMs);
  if (before.length < FEWEST_BEFORE) return undefined;
  const mean = before.reduce((sum, second) => sum + second.denied, 0) / before.length;
  return html`${perSecond(mean)} until ${timeOfDay(sinceMs)}`;
}

function policy(state: AgentState, interval: SnapshotInterval): Figure {
  const isBad = state.degradation.isDegraded || isTooLarge(byPolicyAfterFailure, lookups, state, interval);
  return {
    name: 'By policy',
    value: html`${share(interval.growth(byPolicy), interval.growth(totalDecisions))}`,
    more: html`of all decisions`,
    tone: isBad ? 'bad' : undefined,
    line: { of: (of) => (of.decisions === 0 ? null : of.byPolicy / of.decisions), tell: (value) => share(value, 1) },
  };
}

function decisionTime({ config }: AgentState, interval: SnapshotInterval): Figure {
  return {
    name: 'Decision time p99',
    value: html`${atMost(
      interval.histogram((of) => of.decisionTime),
      0.99,
    )}`,
    more: html`deadline ${seconds(config.deadlineMs / 1000)}`,
    line: { of: (second) => second.p99Seconds, tell: seconds },
  };
}

function hitRatio(interval: SnapshotInterval): Figure {
  return { name: 'Hit ratio', value: html`${hits(interval)}`, more: html`answered from the cache` };
}

function hits(interval: SnapshotInterval): string {
  return share(
    interval.growth((of) => cacheLookups(of).hits),
    interval.growth((of) => cacheLookups(of).all),
  );
}

/** How changes arrive; with a mirror few ask the cache. */
function updates(state: AgentState, interval: SnapshotInterval): Figure {
  const problem = health(state).problems.find(({ about }) => about === 'updates');
  const entries = Object.values(state.mirror.entries).reduce((sum, of) => sum + of, 0);
  const more = state.mirror.state === 'off' ? html`hit ratio ${hits(interval)}` : html`${count(entries)} entries`;
  const name = state.mirror.state === 'off' ? 'Updates' : 'Mirror';
  if (problem === undefined) return { name, value: html`● live`, more };
  if (problem.isStarting) return { name, value: html`◌ starting`, more, tone: 'wait' };
  const word = state.mirror.state === 'loading' ? 'not loaded' : 'behind';
  return { name, value: html`${word}`, more, tone: 'bad' };
}

/** Whether calls flow: without any, neither their time nor their failures say that all is well. */
function backend(state: AgentState, interval: SnapshotInterval): Figure {
  const name = 'Backend';
  const { breaker } = state.backend;
  if (breaker === 'open') return { name, value: html`no calls`, more: html`breaker open`, tone: 'bad' };
  if (breaker === 'probing') return { name, value: html`probing`, more: html`one call at a time`, tone: 'bad' };
  const [failures, calls] = [interval.growth(failed), interval.growth(callsOf)];
  const isBad = isTooLarge(failed, callsOf, state, interval);
  const time = atMost(
    interval.histogram((of) => of.backendTime),
    0.99,
  );
  const flow = calls > 0 ? html`● calls flow, p99 ${time}` : html`● none was needed`;
  return {
    name,
    value: html`${rate(interval.perSecond(callsOf))} <small>calls/s</small>`,
    more: failures > 0 ? html`${share(failures, calls)} failed` : flow,
    tone: isBad ? 'bad' : undefined,
  };
}

/** Since the start there would always be an old problem in it. */
function isTooLarge(
  part: (of: AgentState) => number,
  whole: (of: AgentState) => number,
  state: AgentState,
  interval: SnapshotInterval,
): boolean {
  return !interval.isSinceStart && isTooMany(interval.growth(part), interval.growth(whole), state);
}

function callsOf({ backend: { calls } }: AgentState): number {
  return calls;
}

/** What needed more than fresh verdicts of the cache. */
function lookups(state: AgentState): number {
  const { hits, all } = cacheLookups(state);
  return all - hits;
}

function rateOf(value: number): Html {
  return html`${rate(value)} <small>/s</small>`;
}

function perSecond(value: number): string {
  return `${rate(value)} /s`;
}
