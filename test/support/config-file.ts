import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder that goes with the test, also while a program that is about to end still writes into it. */
export function temporaryFolder(t: { after(clean: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-test-'));
  t.after(() => rmSync(folder, { recursive: true, maxRetries: 10, retryDelay: 50 }));
  return folder;
}

/** A configuration file that goes with the test. */
export function configFile(t: TestContext, yaml: string): string {
  const path = join(temporaryFolder(t), 'agent.yaml');
  writeFileSync(path, yaml);
  return path;
}
