import { printable } from '../../contract/printable.ts';
import type { AgentState } from '../state/state.ts';
import { totalDecisions } from './decision-totals.ts';
import { degradedSince, type Health, health, type Problem } from './health.ts';
import { foreign, type Html, html } from './html.ts';
import { duration, moment } from './page-format.ts';
import type { SnapshotInterval } from './snapshot-interval.ts';

const RUNBOOK = 'https://github.com/haverdict/haverdict/blob/main/docs/runbook.md';
const DOCTOR = 'haverdict doctor --haproxy /etc/haproxy/haproxy.cfg --live';

/** Whether an on-call engineer has to act, in one word; the sign says it without colour. */
function verdictOf({ isReady, degraded }: Health): { readonly sign: string; readonly word: string; isGood: boolean } {
  if (!isReady) return { sign: '■', word: 'not ready', isGood: false };
  return degraded.length > 0
    ? { sign: '▲', word: 'degraded', isGood: false }
    : { sign: '●', word: 'ready', isGood: true };
}

/** What the browser shows in the tab. */
export function title(state: AgentState): string {
  const { sign, word } = verdictOf(health(state));
  return `${sign} ${printable(state.host)}: ${word} – haverdict`;
}

/** The headline: host, state and since when. */
export function headline(state: AgentState, interval: SnapshotInterval): Html {
  const found = health(state);
  const { sign, word, isGood } = verdictOf(found);
  const sinceMs = degradedSince(found);
  const since =
    sinceMs === undefined
      ? html``
      : html` since ${moment(sinceMs, state.takenAtMs)} UTC <small>(${duration(state.takenAtMs - sinceMs)})</small>`;
  const rates = interval.isSinceStart ? 'since the start' : `over the last ${Math.round(interval.seconds)} s`;
  const workers = state.workers === 1 ? '' : `, ${state.workers} workers`;
  return html`<h1 id="host" data-live>${foreign(state.host)}</h1>
<p id="health"${isGood ? html`` : html` class="bad"`} data-live>${sign} ${word}${since}</p>
<p id="about" data-live>haverdict ${state.version}, up ${duration(state.takenAtMs - state.startedAtMs)}, PID ${state.pid}${workers}${recovery(state)}</p>
<p id="taken" data-live>${moment(state.takenAtMs, state.takenAtMs)} UTC, rates ${rates}</p>
`;
}

/** What is wrong and what to do; or what is missing, where nothing has been checked yet. */
export function notices(state: AgentState): Html {
  const { degraded } = health(state);
  const parts = [...degraded.map((problem, index) => problemItem(problem, degraded[index - 1], state))];
  const { lastError, lastErrorAtMs } = state.backend;
  const isBackend = degraded.some(({ about }) => about === 'backend');
  if (isBackend && lastError !== undefined && lastErrorAtMs !== undefined)
    parts.push(
      html`<li><b>Last error of the backend</b> ${moment(lastErrorAtMs, state.takenAtMs)} UTC: ${foreign(lastError, 200)}</li>\n`,
    );
  const problems = parts.length === 0 ? html`` : html`<ul class="problems">\n${parts}</ul>\n`;
  return html`<div id="notices" data-live>${problems}${totalDecisions(state) === 0 ? missing(state) : html``}</div>\n`;
}

/** What the previous one has said is not repeated. */
function problemItem(problem: Problem, previous: Problem | undefined, { takenAtMs, reloads }: AgentState): Html {
  const { text, sinceMs, advice, runbook, about } = problem;
  const isSaid = sinceMs === undefined || sinceMs === previous?.sinceMs;
  const since = isSaid ? html`` : html` <small>since ${moment(sinceMs, takenAtMs)} UTC</small>`;
  const error =
    about === 'reloads' && reloads.lastError !== undefined ? html`<br>${foreign(reloads.lastError, 400)}` : html``;
  const what = html`<b>${text.charAt(0).toUpperCase()}${text.slice(1)}</b>${since}${error}`;
  if (previous?.advice === advice) return html`<li>${what}</li>\n`;
  const link = html`<a href="${RUNBOOK}#${runbook.toLowerCase()}" rel="noreferrer">${runbook}</a>`;
  return html`<li>${what}<br>To do: ${advice}. Runbook: ${link}</li>\n`;
}

function missing({ spop, listening }: AgentState): Html {
  const where = foreign(listening.join(', '), 300);
  const what =
    spop.accepted === 0
      ? html`HAProxy has not connected to ${where}. Is HAProxy running, does it have the wiring, and does its <code>server</code> line have this address?`
      : html`HAProxy is connected${spop.healthChecks > 0 ? ' and checks the agent' : ''}, but has sent no message. Is the <code>filter spoe</code> line in the frontend that gets the requests, and has there been a request?`;
  return html`<p class="missing"><b>No request has been checked yet.</b> ${what}<br>To do: <code>${DOCTOR}</code> on this host finds what is missing.</p>`;
}

function recovery({ degradation: { recoveredAtMs, isDegraded }, takenAtMs }: AgentState): Html {
  if (recoveredAtMs === undefined || isDegraded) return html``;
  return html`, backend recovered ${moment(recoveredAtMs, takenAtMs)} UTC`;
}
