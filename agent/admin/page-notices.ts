import { printable } from '../../contract/printable.ts';
import type { AgentState } from '../state/state.ts';
import { totalDecisions } from './decision-totals.ts';
import { type Condition, degradedSince, health } from './health.ts';
import { foreign, type Html, html } from './html.ts';
import { duration, moment } from './page-format.ts';
import { runbookLink } from './page-runbook.ts';
import { surgeNotice } from './page-surge.ts';
import type { Problem } from './problem.ts';
import type { SnapshotInterval } from './snapshot-interval.ts';

const DOCTOR = 'haverdict doctor --haproxy /etc/haproxy/haproxy.cfg --live';

/** Whether an on-call engineer has to act; the sign says it without colour. */
const VERDICTS: Readonly<Record<Condition, { readonly sign: string; readonly text: string; readonly tone: string }>> = {
  'not ready': { sign: '■', text: 'not ready', tone: 'bad' },
  degraded: { sign: '▲', text: 'degraded', tone: 'bad' },
  starting: { sign: '◌', text: 'starting', tone: 'wait' },
  unused: { sign: '◌', text: 'ready, but no request yet', tone: 'wait' },
  ready: { sign: '●', text: 'ready', tone: 'good' },
};

/** What the browser shows in the tab. */
export function title(state: AgentState): string {
  const { sign, text } = VERDICTS[health(state).condition];
  return `${sign} ${printable(state.host)}: ${text} – haverdict`;
}

/** The headline: host, state and since when. */
export function headline(state: AgentState, interval: SnapshotInterval): Html {
  const found = health(state);
  const { sign, text, tone } = VERDICTS[found.condition];
  const sinceMs = degradedSince(found);
  const since =
    sinceMs === undefined
      ? html``
      : html` since ${moment(sinceMs, state.takenAtMs)} UTC <small>(${duration(state.takenAtMs - sinceMs)})</small>`;
  const window = interval.isSinceStart ? 'since the start' : `over the last ${Math.round(interval.seconds)} s`;
  const up = duration(state.takenAtMs - state.startedAtMs);
  return html`<h1 id="host" data-live>${foreign(state.host)}</h1>
<p id="health" class="${tone}" data-live>${sign} ${text}${since}</p>
<p id="taken" data-live>${moment(state.takenAtMs, state.takenAtMs)} UTC, up ${up}${recovery(state)}, numbers ${window}</p>
`;
}

/** What is wrong and what to do; or what is missing, where nothing has been checked yet. */
export function notices(state: AgentState): Html {
  const found = health(state);
  const { condition, problems, surge } = found;
  const items = problems.map((problem) => problemItem(problem, degradedSince(found), state.takenAtMs));
  const list = items.length === 0 ? html`` : html`<ul class="problems ${VERDICTS[condition].tone}">\n${items}</ul>\n`;
  return html`<div id="notices" data-live>${list}${surge === undefined ? html`` : surgeNotice(surge, state)}${totalDecisions(state) === 0 ? missing(state) : html``}</div>\n`;
}

/** The consequence, the first step, and the cause. */
function problemItem(problem: Problem, saidMs: number | undefined, takenAtMs: number): Html {
  const { effect, cause, sinceMs, lastError, advice, command, runbook } = problem;
  const isSaid = sinceMs === undefined || sinceMs === saidMs; // by the headline
  const since = isSaid ? html`` : html` <small>since ${moment(sinceMs, takenAtMs)} UTC</small>`;
  const at = lastError?.atMs === undefined ? html`` : html` at ${moment(lastError.atMs, takenAtMs)} UTC`;
  const error =
    lastError === undefined
      ? html``
      : html`
<br>Last error${at}: ${foreign(lastError.text, 400)}`;
  return html`<li><b>${capitalized(effect)}</b>${since}
<br><strong>To do:</strong> ${advice}${command === undefined ? html`` : html` <code>${command}</code>`}. Runbook: ${runbookLink(runbook)}
<br>Cause: ${cause}${error}</li>\n`;
}

function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function missing({ spop, listening }: AgentState): Html {
  const where = foreign(listening.join(', '), 300);
  const what =
    spop.accepted === 0
      ? html`HAProxy has not connected to ${where}. Is HAProxy running, does it have the wiring, and does its <code>server</code> line have this address?`
      : html`HAProxy is connected${spop.healthChecks > 0 ? ' and checks the agent' : ''}, but has sent no message. Is the <code>filter spoe</code> line in the frontend that gets the requests, and has there been a request?`;
  return html`<div class="notice"><p><b>No request has been checked yet.</b> ${what}<br><strong>To do:</strong> run this on this host, it finds what is missing:</p>\n<pre><code>${DOCTOR}</code></pre></div>`;
}

function recovery({ degradation: { recoveredAtMs, isDegraded }, takenAtMs }: AgentState): Html {
  if (recoveredAtMs === undefined || isDegraded) return html``;
  return html`, backend recovered ${moment(recoveredAtMs, takenAtMs)} UTC`;
}
