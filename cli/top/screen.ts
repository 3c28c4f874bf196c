import { printable } from '../../contract/printable.ts';
import { cut, fitted, widthsOf } from '../output/fit.ts';
import { aligned } from '../output/table.ts';
import { curveLines } from './curves.ts';
import type { Overview, Times } from './overview.ts';
import { hintOf, type View } from './view.ts';

/** A line of the screen and its style. */
export interface Line {
  readonly text: string;
  readonly tone: 'plain' | 'heading' | 'good' | 'bad';
}

interface Section {
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The minimum rows per section when space is short. */
const FEWEST_ROWS = 2;
/** With fewer rows there are no curves. */
const ROWS_WITH_CURVES = 20;

export interface ScreenOptions {
  readonly columns: number;
  readonly rows: number;
  /** Why the overview is not current. */
  readonly problem?: string | undefined;
  /** What was chosen on a terminal, whose last line says what can be; elsewhere nobody can choose. */
  readonly view?: View;
}

/** The lines of the screen in this size; a problem comes first. */
export function screenLines(overview: Overview, { columns, rows, problem, view }: ScreenOptions): Line[] {
  const notice: Line[] = problem === undefined ? [] : [bad(printable(problem, columns))];
  const curves =
    rows < ROWS_WITH_CURVES ? [] : curveLines(overview.lastMinute, columns, { rate, seconds: milliseconds });
  const head = [...notice, ...headLines(overview, { view, isAnswering: problem === undefined }), ...curves.map(plain)];
  const hint: Line[] = view === undefined ? [] : [{ text: printable(hintOf(view), 300), tone: 'heading' }];
  const sections = [decisionsOf(overview, view), recentOf(overview), topOf(overview, view)].map((section) =>
    filtered(section, view?.filter ?? ''),
  );
  const room = Math.max(0, rows - hint.length);
  const lines = [...head, ...sectionLines(sections, columns, Math.max(0, room - head.length))].slice(0, room);
  const gap = Array.from({ length: hint.length === 0 ? 0 : room - lines.length }, () => plain(''));
  return [...lines, ...gap, ...hint]
    .slice(0, rows)
    .map(({ text, tone }) => ({ text: cut(text.trimEnd(), columns), tone }));
}

interface Circumstances {
  readonly view: View | undefined;
  readonly isAnswering: boolean;
}

function headLines(overview: Overview, { view, isAnswering }: Circumstances): Line[] {
  const {
    host,
    version,
    pid,
    workers,
    uptimeSeconds,
    decisionTime,
    cache,
    backend,
    updates,
    spop,
    degraded,
    reloadError,
  } = overview;
  const { mirror } = overview;
  const several = workers === 1 ? '' : `, ${workers} workers`;
  const hits = overview.hitRatio === null ? '-' : `${(overview.hitRatio * 100).toFixed(1)} %`;
  const fill = `${count(cache.entries)} of ${count(cache.maxEntries)}, ${(cache.bytes / 1e6).toFixed(1)} MB`;
  const state = isAnswering ? stateOf(overview) : 'NO ANSWER';
  return [
    {
      text: `${printable(host)}  ${state}${view?.isPaused ? '  PAUSED' : ''}  ${time(overview.atMs)}  haverdict ${printable(version)}  pid ${pid}${several}  up ${duration(uptimeSeconds)}`,
      tone: degraded.length > 0 || !isAnswering ? 'bad' : 'heading',
    },
    ...degraded.map((cause) => bad(`           ${printable(cause, 300)}`)),
    ...(overview.surge ? [plain(`           ${surgeText(overview.surge)}`)] : []),
    ...(nothingYet(overview)
      ? [plain('           no request checked yet: see haverdict doctor --haproxy FILE --live')]
      : []),
    plain(`decisions  ${rate(overview.decisionsPerSecond)}  ${times(decisionTime)}  hits ${hits}`),
    plain(`cache      ${fill}  stale ${rate(cache.stalePerSecond)}`),
    {
      text: `backend    ${rate(backend.callsPerSecond)}  ${times(backend.time)}  failed ${rate(backend.failuresPerSecond)}  breaker ${backend.breaker}  queued ${backend.queued}  active ${backend.inFlight}`,
      tone: backend.isFailing ? 'bad' : 'good',
    },
    ...(backend.isFailing && backend.lastError !== null
      ? [bad(`           ${printable(backend.lastError, 300)}`)]
      : []),
    ...(updates.state === 'off'
      ? []
      : [
          {
            text: `updates    ${updates.state}  ${provenText(updates.ageSeconds)}`,
            tone: updates.state === 'live' ? ('good' as const) : ('bad' as const),
          },
        ]),
    ...(mirror.state === 'off'
      ? []
      : [
          {
            text: `mirror     ${mirror.state}  ${count(sum(Object.values(mirror.entries)))} entries, ${(mirror.bytes / 1e6).toFixed(1)} MB`,
            tone: mirror.state === 'live' ? ('good' as const) : ('bad' as const),
          },
        ]),
    plain(`haproxy    ${rate(spop.framesPerSecond)}  connections ${spop.connections}  errors ${count(spop.errors)}`),
    ...(reloadError === null ? [] : [bad(`reload     ${printable(reloadError, 300)}`)]),
  ];
}

function provenText(ageSeconds: number | null): string {
  return ageSeconds === null ? 'nothing proven' : `proven up to ${ageSeconds.toFixed(1)} s ago`;
}

function stateOf({ condition, degradedSinceMs, atMs }: Overview): string {
  if (condition !== 'degraded') return condition === 'unused' ? 'ready' : condition;
  if (degradedSinceMs === null) return 'DEGRADED';
  return `DEGRADED since ${time(degradedSinceMs)} (${duration(Math.max(0, Math.round((atMs - degradedSinceMs) / 1000)))})`;
}

function surgeText({ share, usualShare, sinceMs }: NonNullable<Overview['surge']>): string {
  const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
  const usual = usualShare === undefined ? '' : `, usually ${percent(usualShare)}`;
  const since = sinceMs === undefined ? 'for more than a minute' : `since ${time(sinceMs)}`;
  return `${percent(share)} of the requests are denied${usual}, ${since}`;
}

function nothingYet({ decisions }: Overview): boolean {
  return decisions.every(({ total }) => total === 0);
}

function decisionsOf({ decisions }: Overview, view: View | undefined): Section {
  const sorted = decisions.toSorted((a, b) => {
    if (view?.sort === 'total') return b.total - a.total;
    return view?.sort === 'name' ? `${a.action} ${a.source}`.localeCompare(`${b.action} ${b.source}`) : 0;
  });
  const perSecond = padded(
    sorted.map((row) => rate(row.perSecond)),
    'PER SECOND',
  );
  const totals = padded(
    sorted.map(({ total }) => count(total)),
    'TOTAL',
  );
  const rows = sorted.map(({ action, source }, index) => [action, source, perSecond(index), totals(index)]);
  return { heading: ['ACTION', 'SOURCE', 'PER SECOND', totals(-1)], rows };
}

function recentOf({ recent }: Overview): Section {
  const rows = recent.map(({ atMs, ref, action, list, reason, subject, client = '', source }) => [
    time(atMs),
    action,
    printable(client),
    list === '' ? '-' : printable(subject),
    list === '' ? source : printable(list),
    printable(ref),
    printable(reason, 200),
  ]);
  return { heading: ['RECENT', 'ACTION', 'CLIENT', 'ENTRY', 'LIST', 'REF', 'REASON'], rows };
}

function topOf({ top }: Overview, view: View | undefined): Section {
  const sorted = view?.sort === 'name' ? top.toSorted((a, b) => a.subject.localeCompare(b.subject)) : top;
  const times = padded(
    sorted.map((row) => count(row.count)),
    'DENIED',
  );
  const rows = sorted.map(({ subject, list, client = '' }, index) => [
    times(index),
    printable(subject),
    printable(list),
    printable(client),
  ]);
  return { heading: [times(-1), 'ENTRY (LAST 5 MIN)', 'LIST', 'LAST CLIENT'], rows };
}

/** Numbers and their heading, which is number -1, aligned on the right. */
function padded(numbers: readonly string[], heading: string): (index: number) => string {
  const width = Math.max(heading.length, ...numbers.map(({ length }) => length));
  return (index) => (index === -1 ? heading : (numbers[index] ?? '')).padStart(width);
}

function filtered({ heading, rows }: Section, filter: string): Section {
  const wanted = filter.toLowerCase();
  return { heading, rows: rows.filter((cells) => cells.join(' ').toLowerCase().includes(wanted)) };
}

/** Distributes the rows: first the minimum to each section, then the rest in order. */
function sectionLines(sections: readonly Section[], columns: number, room: number): Line[] {
  const used = sections.filter(({ rows }) => rows.length > 0);
  const fewest = used.map(({ rows }) => Math.min(rows.length, FEWEST_ROWS));
  let spare = room - used.length * 2 - fewest.reduce((sum, rows) => sum + rows, 0);
  return used.flatMap(({ heading, rows }, index) => {
    const more = Math.max(0, Math.min(spare, rows.length - (fewest[index] ?? 0)));
    spare -= more;
    const shown = fitted([heading, ...rows.slice(0, (fewest[index] ?? 0) + more)], columns);
    const widths = widthsOf(shown);
    const [first = '', ...others] = shown.map((cells) => aligned(cells, widths));
    return [plain(''), { text: first, tone: 'heading' } as const, ...others.map(plain)];
  });
}

function plain(text: string): Line {
  return { text, tone: 'plain' };
}

function bad(text: string): Line {
  return { text, tone: 'bad' };
}

function rate(perSecond: number): string {
  return `${perSecond < 10 ? perSecond.toFixed(1) : count(Math.round(perSecond))}/s`;
}

function times({ p50, p99 }: Times): string {
  return `p50 ${milliseconds(p50)}  p99 ${milliseconds(p99)}`;
}

function milliseconds(seconds: number | null): string {
  return seconds === null ? '-' : `${Number((seconds * 1000).toPrecision(3))} ms`;
}

function count(number: number): string {
  return number.toLocaleString('en-US').replaceAll(',', ' ');
}

function duration(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days}d ${hours}h`;
  return hours > 0 ? `${hours}h ${minutes}m` : `${minutes}m ${seconds % 60}s`;
}

/** The local time of day. */
function time(atMs: number): string {
  return new Date(atMs).toTimeString().slice(0, 8);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
