/** Runs commands of haverdict: the page has no other way to read or change anything. */
import { working } from './working.js';

const key = takeKey();

/** Where the console is: table, user, configuration. */
export const about = await (await fetch('about.json')).json();

/** The key comes once, behind the # of the first address. */
function takeKey() {
  if (/^#[\w-]{43}$/.test(location.hash)) {
    localStorage.setItem('key', location.hash.slice(1));
    history.replaceState(null, '', './');
  }
  return localStorage.getItem('key') ?? '';
}

/** What a command said instead of doing it. */
export class Refusal extends Error {
  constructor({ complaints }) {
    super(complaints.join('\n'));
  }
}

/** Whether a subject is a secret and not its digest. */
export function isSecret(text) {
  return /^key:(?!sha256:|-$)./i.test(text);
}

/** Runs a command to its end: what it printed, its complaints and its exit code. */
export async function run(command, args = [], options = {}, file = undefined) {
  if (file?.size > about.maxFileBytes)
    throw new Error(`${file.name} is larger than ${about.maxFileBytes >> 20} MiB: use haverdict import in a terminal`);
  const secret = args.find(isSecret);
  const order = {
    command,
    args: args.map((text) => (text === secret ? 'key:-' : text)),
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => value)),
    ...(file && { file: file.name }),
  };
  const { complaints, ...ran } = await answered(order, file ?? secret?.slice('key:'.length) ?? '');
  return { ...ran, complaints: complaints.map((line) => line.replace(/^haverdict: /, '')) };
}

/** The result of an order, which comes last; each line before says how far it is. */
async function answered(order, input) {
  const { told, done } = working();
  try {
    const response = await fetch('run', {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', 'x-console-key': key },
      body: new Blob([`${JSON.stringify(order)}\n`, input]),
    });
    if (!response.ok) throw new Error((await response.text()).trim());
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let line = ''; ; ) {
      const { value = '', done: isEnd } = await reader.read();
      if (isEnd) return JSON.parse(line);
      const [end, ...others] = value.split('\n');
      line += end;
      for (const other of others) {
        told(JSON.parse(line));
        line = other;
      }
    }
  } catch (error) {
    // fetch and reader throw a TypeError where the connection fails
    throw error instanceof TypeError
      ? new Error('no answer: does haverdict console still run in its terminal?')
      : error;
  } finally {
    done();
  }
}

/** Exit codes: 65 is done, but with skipped lines; 75 is done, but late. */
export const DONE = [0, 65, 75];

/** Runs a command that changes something; its lines. */
export async function change(command, args, options, file) {
  const ran = await run(command, args, options, file);
  if (!DONE.includes(ran.code)) throw new Refusal(ran);
  return ran;
}

/** The JSON of a command that only reads. */
export async function read(command, args, options) {
  const { out } = await change(command, args, { ...options, json: true });
  return JSON.parse(out.join(''));
}

/** The same of a command with one object a line. */
export async function readLines(command, args, options) {
  const { out } = await change(command, args, { ...options, json: true });
  return out.map((line) => JSON.parse(line));
}
