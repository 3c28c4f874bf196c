import { run } from '../../cli/program.ts';
import type { Ended } from './many-runs.ts';

let said = '';
const listen = (text: string | Uint8Array) => {
  said += text;
  return true;
};
Object.assign(process.stdout, { write: listen });
Object.assign(process.stderr, { write: listen });

process.on('message', async (args: readonly string[]) => {
  said = '';
  const status = await run(['node', 'haverdict', ...args], { write: listen });
  process.send?.({ status, said } satisfies Ended);
});
