import { run } from '../../cli/program.ts';

/** What the program says and ends with, where it refuses its command line before it does anything. In this process. */
export async function refusalOf(...args: readonly string[]): Promise<{ status: number; stderr: string }> {
  let stderr = '';
  const complaints = {
    write(text: string) {
      stderr += text;
      return true;
    },
  };
  const status = await run([process.execPath, 'haverdict', ...args], complaints);
  return { status, stderr };
}
