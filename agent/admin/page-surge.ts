import type { AgentState } from '../state/state.ts';
import type { DenySurge } from './deny-surge.ts';
import { foreign, type Html, html, subject } from './html.ts';
import { count, moment, rate, share } from './page-format.ts';
import { runbookLink } from './page-runbook.ts';

/** Passing requests that fell below this part of what they were are kept out by a list that is too wide. */
const FEWER = 0.5;

/** One notice where much more is denied than usual: since when, who, and whether visitors are among them. */
export function surgeNotice(surge: DenySurge, state: AgentState): Html {
  const { usualShare, sinceMs } = surge;
  const usual = usualShare === undefined ? html`` : html`, usually ${share(usualShare, 1)}`;
  const since =
    sinceMs === undefined ? html`for more than a minute` : html`since ${moment(sinceMs, state.takenAtMs)} UTC`;
  const { found, what, advice, runbook } = meaningOf(surge);
  return html`<div class="notice"><p><b>${share(surge.share, 1)} of the requests are denied${usual}${found}</b> <small>${since}</small>
<br>${mostDeniedText(state)}${what}
<br><strong>To do:</strong> ${advice}. Runbook: ${runbookLink(runbook)}</p></div>\n`;
}

function mostDeniedText({ top: [most] }: AgentState): Html {
  if (most === undefined) return html``;
  return html`Most denied: ${subject(most.subject, 100)} of list ${foreign(most.list)}, ${count(most.count)} times in 5 minutes. `;
}

function meaningOf({ passing }: DenySurge): {
  readonly found: string;
  readonly what: string;
  readonly advice: string;
  readonly runbook: string;
} {
  const ask = 'if visitors of yours are in “Most denied”, put the list in shadow mode, otherwise nothing';
  if (passing === undefined) return { found: '', what: '', advice: ask, runbook: 'HaverdictDenyShareJump' };
  const rates = `${rate(passing.now)} /s, ${rate(passing.before)} /s before`;
  return passing.now < FEWER * passing.before
    ? {
        found: ': a list may be too wide',
        what: `Fewer requests pass (${rates}).`,
        advice: 'find the wrong list in “Most denied”, and put it in shadow mode',
        runbook: 'HaverdictBlocksEverybody',
      }
    : {
        found: ': it looks like an attack, which is kept out',
        what: `As many requests pass as before (${rates}).`,
        advice: ask,
        runbook: 'HaverdictDenyShareJump',
      };
}
