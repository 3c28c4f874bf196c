import { printable } from '../../contract/printable.ts';
import type { Overview, Times } from './overview.ts';

/** A line of the screen and its style. */
export interface Line {
  readonly text: string;
  readonly tone: 'plain' | 'heading' | 'good' | 'bad';
}

interface Section {
  readonly heading: string;
  readonly rows: readonly string[];
}

/** The minimum rows per section when space is short. */
const FEWEST_ROWS = 3;

/** The lines of the screen in this size; a problem comes first. */
export function screenLines(overview: Overview, columns: number, rows: number, problem?: string): Line[] {
  const notice: Line[] = problem === undefined ? [] : [{ text: printable(problem, columns), tone: 'bad' }];
  const head = [...notice, ...headLines(overview)];
  const sections = [decisionsOf(overview), recentOf(overview), topOf(overview)];
  const lines = [...head, ...sectionLines(sections, Math.max(0, rows - head.length))];
  return lines.slice(0, rows).map(({ text, tone }) => ({ text: cut(text, columns), tone }));
}

function headLines(overview: Overview): Line[] {
  const { version, pid, workers, uptimeSeconds, decisionTime, cache, backend, updates, spop, degraded, reloadError } =
    overview;
  const { mirror } = overview;
  const several = workers === 1 ? '' : `, ${workers} workers`;
  const hits = overview.hitRatio === null ? '-' : `${(overview.hitRatio * 100).toFixed(1)} %`;
  const fill = `${count(cache.entries)} of ${count(cache.maxEntries)}, ${(cache.bytes / 1e6).toFixed(1)} MB`;
  const failing = backend.breaker !== 'closed' || backend.failuresPerSecond > 0;
  return [
    {
      text: `haverdict ${printable(version)}  pid ${pid}${several}  up ${duration(uptimeSeconds)}  ${time(overview.atMs)}`,
      tone: 'heading',
    },
    ...degraded.map((cause) => bad(`degraded   ${printable(cause, 300)}`)),
    plain(`decisions  ${rate(overview.decisionsPerSecond)}  ${times(decisionTime)}  hits ${hits}`),
    plain(`cache      ${fill}  stale ${rate(cache.stalePerSecond)}`),
    {
      text: `backend    ${rate(backend.callsPerSecond)}  ${times(backend.time)}  failed ${rate(backend.failuresPerSecond)}  breaker ${backend.breaker}  queued ${backend.queued}  active ${backend.inFlight}`,
      tone: failing ? 'bad' : 'good',
    },
    ...(failing && backend.lastError !== null ? [bad(`           ${printable(backend.lastError, 300)}`)] : []),
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

function decisionsOf({ decisions }: Overview): Section {
  const rows = decisions.map(
    ({ action, source, perSecond, total }) =>
      `${action.padEnd(9)} ${source.padEnd(8)} ${rate(perSecond).padStart(12)} ${count(total).padStart(10)}`,
  );
  return { heading: 'ACTION    SOURCE     PER SECOND      TOTAL', rows };
}

function recentOf({ recent }: Overview): Section {
  const rows = recent.map(({ atMs, ref, action, list, reason, subject, client = '', source }) => {
    const why = list === '' ? source : printable(list);
    return `${time(atMs)}  ${action.padEnd(7)} ${printable(client).padEnd(18)} ${printable(subject).padEnd(18)} ${why.padEnd(10)} ${printable(ref).padEnd(12)} ${printable(reason, 200)}`;
  });
  return {
    heading: `RECENT    ACTION  ${'CLIENT'.padEnd(18)} ${'SUBJECT'.padEnd(18)} ${'LIST'.padEnd(10)} ${'REF'.padEnd(12)} REASON`,
    rows,
  };
}

function topOf({ top }: Overview): Section {
  const rows = top.map(
    ({ subject, list, client = '', count: times }) =>
      `${count(times).padStart(9)} ${printable(subject).padEnd(30)} ${printable(list).padEnd(16)} ${printable(client)}`,
  );
  return { heading: `   DENIED ${'SUBJECT'.padEnd(30)} ${'LIST'.padEnd(16)} LAST CLIENT`, rows };
}

/** Distributes the rows: first the minimum to each section, then the rest in order. */
function sectionLines(sections: readonly Section[], room: number): Line[] {
  const used = sections.filter(({ rows }) => rows.length > 0);
  const fewest = used.map(({ rows }) => Math.min(rows.length, FEWEST_ROWS));
  let spare = room - used.length * 2 - fewest.reduce((sum, rows) => sum + rows, 0);
  return used.flatMap(({ heading, rows }, index) => {
    const more = Math.max(0, Math.min(spare, rows.length - (fewest[index] ?? 0)));
    spare -= more;
    const shownRows = rows.slice(0, (fewest[index] ?? 0) + more);
    return [plain(''), { text: heading, tone: 'heading' } as const, ...shownRows.map(plain)];
  });
}

function plain(text: string): Line {
  return { text, tone: 'plain' };
}

function bad(text: string): Line {
  return { text, tone: 'bad' };
}

function cut(text: string, columns: number): string {
  const characters = [...text.trimEnd()];
  return characters.length <= columns
    ? characters.join('')
    : characters.slice(0, Math.max(0, columns)).join('').trimEnd();
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
