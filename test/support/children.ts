import { readFile } from 'node:fs/promises';

/** The processes that a process has started and that run. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text
    .split(' ')
    .filter((pid) => pid !== '')
    .map(Number);
}
