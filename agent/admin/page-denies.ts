import { MAX_RECORDED } from '../state/decision-stats.ts';
import type { AgentState, RecentDeny, TopSubject } from '../state/state.ts';
import { TOP_MINUTES } from '../state/top-subjects.ts';
import { isDenial } from './decision-totals.ts';
import { foreign, type Html, html, subject } from './html.ts';
import { count, timeOfDay } from './page-format.ts';
import { bar, tableSection } from './page-table.ts';

const SHOWN_DENIES = 12;
const SHOWN_TOP = 10;
const MAX_SUBJECT = 100;

/** The button appears with the script, which holds the rows still while they are read. */
const PAUSE = html`<span id="held"></span><button id="pause" type="button" hidden>Pause</button>`;

export function recentDenies({ recent }: AgentState): Html {
  const columns = ['UTC', 'Client', 'Entry', 'List', 'Reason', 'Action', 'Reference'].map((name) => ({
    name,
  }));
  const cells = (deny: RecentDeny) => [
    timeOfDay(deny.atMs),
    subject(deny.client ?? '', MAX_SUBJECT),
    subject(deny.list === '' ? '–' : deny.subject, MAX_SUBJECT),
    foreign(deny.list === '' ? '–' : deny.list),
    foreign(deny.reason),
    html`${action(deny.action)} ${deny.status ?? ''}`,
    html`<code>${foreign(deny.ref)}</code>`,
  ];
  const rows = recent.slice(0, SHOWN_DENIES).map(cells);
  return tableSection('recent', 'Recent denies', columns, rows, 'Nothing has been denied yet.', PAUSE);
}

export function mostDenied({ top, lastMinute }: AgentState): Html {
  const most = top[0]?.count ?? 1;
  const columns = [...['Entry', 'List'].map((name) => ({ name })), { name: 'Times', isNumber: true }] as const;
  const cells = ({ subject: entry, list, count: times }: TopSubject) => [
    subject(entry, MAX_SUBJECT),
    foreign(list),
    html`${count(times)}${bar(times / most)}`,
  ];
  const rows = top.slice(0, SHOWN_TOP).map(cells);
  const isSample = lastMinute.some(({ denied }) => denied > MAX_RECORDED);
  const sample = isSample ? ` (an estimate: at most ${MAX_RECORDED} denies a second are counted)` : '';
  const title = `Most denied, last ${TOP_MINUTES} minutes${sample}`;
  return tableSection('top', title, columns, rows, 'No entry has denied a request in the last minutes.');
}

/** An action; a denying one has a sign beside its colour. */
export function action(name: string): Html {
  return isDenial(name) ? html`<span class="stop">■ ${name}</span>` : html`${name}`;
}
