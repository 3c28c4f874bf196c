import { join, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { inspect } from 'node:util';
import { processOf, type TestProcess } from './test-processes.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** A test fails after this. */
const TEST_LIMIT_MS = 600_000;
/** All of them are ended after this. */
const RUN_LIMIT_MS = 40 * 60_000;
/** Of what a file writes beside its results, this much is shown if it fails. */
const MAX_OUTPUT_CHARACTERS = 20_000;

export interface FileResult {
  readonly file: string;
  readonly passed: number;
  readonly failures: readonly Failure[];
  /** The titles of skipped tests. */
  readonly skipped: readonly string[];
}

interface Failure {
  readonly title: string;
  /** Its first line. */
  readonly message: string;
}

interface Running {
  passed: number;
  readonly failures: Failure[];
  readonly skipped: string[];
  /** The titles of the suites around the next test. */
  readonly titles: string[];
  output: string;
}

/** Runs test files, so many processes at a time; prints a line for each process, and all of a failure. */
export async function runFiles(processes: readonly TestProcess[], concurrency: number): Promise<FileResult[]> {
  const all = new Map<string, Running>();
  const of = (file: string | undefined): Running => {
    const path = file ?? 'no file';
    const known = all.get(path);
    if (known !== undefined) return known;
    const fresh = { passed: 0, failures: [], skipped: [], titles: [], output: '' };
    all.set(path, fresh);
    return fresh;
  };
  const byEntry = new Map(processes.map((each) => [resolve(ROOT, each.entry), each]));
  const stream = run({
    files: [...byEntry.keys()],
    concurrency,
    cwd: ROOT,
    timeout: TEST_LIMIT_MS,
    // Not `forceExit`, which ends before all results are told.
    execArgv: ['--import', join(ROOT, 'test/support/end.ts')],
    signal: AbortSignal.timeout(RUN_LIMIT_MS),
  });
  for await (const { type, data } of stream) {
    switch (type) {
      case 'test:start': {
        const { titles } = of(data.file);
        titles.length = data.nesting;
        titles.push(data.name);
        break;
      }
      case 'test:pass':
        if (data.skip !== undefined) of(data.file).skipped.push(data.name);
        else if (data.details.type !== 'suite') of(data.file).passed++;
        break;
      case 'test:fail': {
        const { error } = data.details;
        if (error.failureType === 'subtestsFailed') break;
        const running = of(data.file);
        const title = [...running.titles.slice(0, data.nesting), data.name].join(' › ');
        const cause = error.cause instanceof Error ? error.cause : error;
        running.failures.push({ title, message: cause.message.split('\n')[0] ?? '' });
        console.log(`\n✖ ${relative(ROOT, data.file ?? '')}: ${title}\n${inspect(error.cause ?? error)}`);
        // A file that ends before its tests has no summary.
        if (data.name === data.file) console.log(`  it wrote:\n${running.output.trimEnd()}`);
        break;
      }
      case 'test:stdout':
      case 'test:stderr': {
        const running = of(data.file);
        running.output = (running.output + data.message).slice(0, MAX_OUTPUT_CHARACTERS);
        break;
      }
      case 'test:summary':
        if (data.file !== undefined) {
          const { title, files } = byEntry.get(data.file) ?? processOf(relative(ROOT, data.file));
          const ran = [data.file, ...files.map((file) => resolve(ROOT, file))].flatMap((path) => all.get(path) ?? []);
          told(title, [...new Set(ran)], of(data.file).output, data.duration_ms);
        }
        break;
    }
  }
  return [...all].map(([file, { passed, failures, skipped }]) => ({ file, passed, failures, skipped }));
}

function told(title: string, ran: readonly Running[], output: string, durationMs: number): void {
  const passed = ran.reduce((sum, { passed }) => sum + passed, 0);
  const isBroken = ran.some(({ failures }) => failures.length > 0);
  console.log(`${isBroken ? '✖' : '✔'} ${title} (${passed} passed, ${(durationMs / 1000).toFixed(1)} s)`);
  if (isBroken && output !== '') console.log(`  it wrote:\n${output.trimEnd()}`);
}
