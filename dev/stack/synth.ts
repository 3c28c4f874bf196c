import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { EXAMPLE_FILE, SETTINGS_FILE } from '../../infra/deployment/settings.ts';
import { bundleFunctions } from '../../packaging/function-bundles.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const OUT = join(ROOT, 'cdk.out');
/** What the stack reads of other folders. */
const DATA = ['blocklist/table.ts', 'updates/poll-wait.ts', 'updates/table.ts'];
/** The files that the assembly depends on. */
const SOURCES = ['infra/**/*.ts', ...DATA, 'functions/*/bundle/*', 'cdk.json', 'package-lock.json'];
const KEPT_MS = 24 * 3_600_000;

/** Returns the folder with the assembly of these sources; synthesizes it, without the CDK CLI, if needed. */
export async function synthesized(report: (line: string) => void = () => {}): Promise<string> {
  bundleFunctions();
  const folder = join(OUT, `local-${hashOfSources()}`);
  if (existsSync(join(folder, 'manifest.json'))) return folder;
  report('synthesizing the stack, once for these sources');
  // Two processes may do this at once: each writes its own folder, and the first to finish wins.
  mkdirSync(OUT, { recursive: true });
  const own = mkdtempSync(`${folder}.`);
  await synthesize(own);
  try {
    renameSync(own, folder);
  } catch (error) {
    rmSync(own, { recursive: true });
    if (!existsSync(join(folder, 'manifest.json'))) throw error;
  }
  removeOld();
  return folder;
}

async function synthesize(folder: string): Promise<void> {
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')) as { context?: object };
  const env = {
    ...process.env,
    CDK_OUTDIR: folder,
    CDK_CONTEXT_JSON: JSON.stringify(context ?? {}),
    DEPLOYMENT_SETTINGS: settingsFile(),
  };
  const app = spawn(process.execPath, ['infra/app.ts'], { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const [complaint, [code]] = await Promise.all([text(app.stderr), once(app, 'exit')]);
  if (code === 0) return;
  rmSync(folder, { recursive: true });
  throw new Error(`cannot synthesize the stack: infra/app.ts exited with ${code}:\n${complaint.trim()}`);
}

/** The settings of your own deployment, if there are any. */
function settingsFile(): string {
  return existsSync(join(ROOT, SETTINGS_FILE)) ? SETTINGS_FILE : EXAMPLE_FILE;
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  for (const file of globSync([...SOURCES, settingsFile()], { cwd: ROOT }).sort())
    hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)));
  return hash.digest('hex').slice(0, 16);
}

/** Removes old assemblies, except those from yesterday, which another process may still use. */
function removeOld(): void {
  for (const name of globSync('local-*', { cwd: OUT })) {
    const folder = join(OUT, name);
    if (Date.now() - statSync(folder).mtimeMs > KEPT_MS) rmSync(folder, { recursive: true, force: true });
  }
}
