import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

const patterns = process.argv.slice(2);
// What takes minutes has a command of its own: npm run test:slow.
const usual = { exclude: (path: string) => path.includes('test/slow') };
const files = (patterns.length > 0 ? globSync(patterns) : globSync('test/**/*.test.ts', usual)).sort();
if (files.length === 0) {
  console.error(`no test file matches ${patterns.join(' ')}`);
  process.exit(2);
}
const run = spawnSync(process.execPath, ['--test', '--test-timeout=300000', ...files], { stdio: 'inherit' });
process.exit(run.status ?? 1);
