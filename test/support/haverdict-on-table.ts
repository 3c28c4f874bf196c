import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** Runs the program against a table in this process, with no AWS account in its environment. */
export async function runOnTable(endpoint: string, ...args: readonly string[]) {
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', AWS_ENDPOINT_URL_DYNAMODB: endpoint };
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { status, stdout, stderr };
}
