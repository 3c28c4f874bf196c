// Runs test files on all processors. A file that fails is run once more by itself; if it passes then, it is flaky, and the
// last line names it. `--scope newer|all` takes what `npm test` does not (test/support/scope.ts).
import { spawnSync } from 'node:child_process';
import { chmodSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { bundledProgram } from './support/bundled-program.ts';
import { type FileResult, runFiles } from './support/run-files.ts';
import { hasIpv6, isRoot, type Scope } from './support/scope.ts';
import { processOf, testProcesses } from './support/test-processes.ts';
import { versions } from './support/versions.ts';

const ROOT = join(import.meta.dirname, '..');
/** Here a compiled module is found by the next of the many processes that load it. */
const COMPILE_CACHE = join(ROOT, '.cache/compiled');
const BUNDLED_PROGRAM = join(ROOT, '.cache/program');
/** More files than this do not fail by chance. */
const MOST_FLAKY = 5;
/** What takes long begins first, so that both processors are busy to the end. */
const LONG_FIRST = [
  ...['slow', 'fuzz', 'integration', 'e2e', 'package.test'],
  ...['dev', 'haproxy', 'cli', 'infra', 'blocklist', 'packaging'],
];

const { values, positionals } = parseArgs({ options: { scope: { type: 'string' } }, allowPositionals: true });
const scope = (values.scope ?? 'usual') as Scope; // test/support/scope.ts refuses any other
const files = filesOf(scope, positionals);
if (files.length === 0) {
  console.error(`no test file matches ${positionals.join(' ')}`);
  process.exit(2);
}
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
process.env.TEST_SCOPE = scope;
process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;
const isWholeRun = positionals.length === 0;
// A single file may be run often, and its stack traces are to have the lines of the source.
if (isWholeRun) process.env.TEST_PROGRAM = await bundledProgram(BUNDLED_PROGRAM, version);
// An agent whose heap is bounded already need not start twice: test/integration/memory.test.ts is about one that does.
process.env.NODE_OPTIONS = '--max-old-space-size=2048';

const temporary = isWholeRun ? temporaryFolder() : undefined;

const startedAt = performance.now();
// Two more than there are processors: many tests wait for a time that the product has.
const cache = join(ROOT, '.cache/folders');
const processes = isWholeRun ? testProcesses(files, scope, ROOT, cache) : files.map(processOf);
const results = await runFiles(processes, availableParallelism() + 2);
const failed = results.filter(({ failures }) => failures.length > 0);
const flaky: FileResult[] = [];
if (failed.length <= MOST_FLAKY)
  for (const result of failed) {
    // a test of several files stands in none of them, so there is nothing to run
    if (!result.file.endsWith('.test.ts')) continue;
    console.log(`\nonce more by itself: ${name(result)}`);
    const again = await runFiles([processOf(name(result))], 1);
    if (again.every(({ failures }) => failures.length === 0)) flaky.push(result);
  }
const isWhole = scope !== 'all' || positionals.length > 0 || otherUserPasses(files);
const broken = failed.filter((result) => !flaky.includes(result));
const skipped = results.flatMap(({ skipped }) => skipped);

for (const result of broken) for (const { title } of result.failures) console.log(`failed: ${name(result)}: ${title}`);
for (const title of skipped) console.log(`skipped, which no test may be: ${title}`);
// What a failed test leaves behind says nothing.
const left = temporary === undefined || failed.length > 0 ? [] : leftIn(temporary);
for (const name of left) console.log(`left behind by a test in the folder for temporary files: ${name}`);
console.log(`\n${lastLine()}`);
process.exit(broken.length + skipped.length + left.length > 0 || !isWhole ? 1 : 0);

/** A folder of this run alone, where each user may write. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-run-'));
  chmodSync(folder, 0o1777);
  process.env.TMPDIR = folder;
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Ours: a browser or npm have files of their own. */
function leftIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('haverdict-'));
}

function filesOf(scope: Scope, patterns: readonly string[]): string[] {
  const found = patterns.length > 0 ? globSync(patterns) : globSync('test/**/*.test.ts', { cwd: ROOT });
  const rank = (file: string) => {
    const place = LONG_FIRST.findIndex((folder) => file.startsWith(`test/${folder}`));
    return place < 0 ? LONG_FIRST.length : place;
  };
  return found
    .filter((file) => patterns.length > 0 || scope === 'all' || !file.startsWith('test/slow'))
    .filter((file) => scope !== 'newer' || hasNewerTests(file))
    .sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1));
}

function hasNewerTests(file: string): boolean {
  return /describe(Newer|OnEveryHaproxy|OnEveryEngine)\(/.test(readFileSync(file, 'utf8'));
}

/** Runs the files with tests for root as a plain user, or those for a plain user as root, whichever this is not. */
function otherUserPasses(files: readonly string[]): boolean {
  const others = files.filter((file) => /\bisRoot\b/.test(readFileSync(file, 'utf8')));
  const asNobody = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', 'env', 'HOME=/nonexistent'];
  const [command = '', ...args] = [...(isRoot ? asNobody : ['sudo', '-n', 'env']), `PATH=${process.env.PATH ?? ''}`];
  console.log(`\nonce more as ${isRoot ? 'nobody' : 'root'}, for the tests that need that user`);
  const { status } = spawnSync(command, [...args, process.execPath, 'test/run.ts', '--scope', 'all', ...others], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  const advice = isRoot ? `can nobody read ${ROOT}? The checkout must be where every user can` : 'run "sudo -v" first';
  if (status !== 0) console.log(`failed as ${isRoot ? 'nobody' : 'root'} (${advice})`);
  return status === 0;
}

function lastLine(): string {
  const passed = results.reduce((sum, { passed }) => sum + passed, 0);
  const failures = broken.reduce((sum, { failures }) => sum + failures.length, 0);
  const chance = flaky.map((result) => `${name(result)}: ${result.failures[0]?.title}: ${result.failures[0]?.message}`);
  const parts = [
    `${passed} passed, ${failures} failed, ${skipped.length} skipped, ${flaky.length} flaky`,
    `scope ${scope}${hasIpv6 ? '' : ', no IPv6 here'}`,
    `against ${versions(scope).join(', ')}`,
    `in ${Math.round((performance.now() - startedAt) / 1000)} s`,
    ...(chance.length > 0 ? [`FLAKY, mend it next: ${chance.join(' · ')}`] : []),
  ];
  return parts.join('; ');
}

function name({ file }: FileResult): string {
  return relative(ROOT, file);
}
