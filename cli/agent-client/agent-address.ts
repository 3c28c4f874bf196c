import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { printable } from '../../contract/printable.ts';
import { CliError, EXIT, usageError } from '../exit/cli-error.ts';
import { parsedJson } from '../formats/parsed-json.ts';
import { askAgent, wholeText } from './agent-client.ts';

const LIMIT_MS = 5_000;
const ADDRESS = /^(?:http:\/\/|tcp:\/\/)?(?<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(?<port>\d{1,5})\/?$/;
/** What an agent tells in both ways, with what that is called where something else answers. */
const TOLD = {
  hits: { path: '/hits.json', called: 'counts' },
  state: { path: '/state.json', called: 'its state' },
} as const;

/** One agent, as it is typed: its `admin.listen` or the path of its `admin.socket`. */
export type AgentAddress = { readonly name: string } & (
  | { readonly socket: string }
  | { readonly at: { readonly socketPath: string } | { readonly host: string; readonly port: number } }
);

export function readAgents(text: string): AgentAddress[] {
  return text.split(',').map((one) => readAgent(one.trim()));
}

/** What an agent tells; `parse` returns undefined if that is something else. Rejects with one line that names the agent. */
export async function askAgentAt<Answer>(
  agent: AgentAddress,
  what: keyof typeof TOLD,
  parse: (answer: unknown) => Answer | undefined,
): Promise<Answer> {
  const { path, called } = TOLD[what];
  const { status, answer } =
    'socket' in agent
      ? { status: 'in JSON', answer: await askAgent(agent.socket, { command: what }) }
      : await askOverHttp(agent, path);
  const parsed = parse(answer);
  if (parsed !== undefined) return parsed;
  throw failed(agent, `answers ${status} without ${called}: is this the admin.listen of an agent of this release?`);
}

function readAgent(text: string): AgentAddress {
  if (text.startsWith('/')) return { name: text, socket: text };
  if (text.startsWith('unix:/')) return { name: text, at: { socketPath: text.slice('unix:'.length) } };
  const { host, port } = ADDRESS.exec(text)?.groups ?? {};
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535)
    return { name: `${host}:${port}`, at: { host: host.replace(/^\[|\]$/g, ''), port: Number(port) } };
  throw usageError(
    `--agents "${text}" is no address of an agent: write its admin.listen, like 127.0.0.1:9101, or the path of its admin.socket`,
  );
}

async function askOverHttp(
  agent: Exclude<AgentAddress, { socket: string }>,
  path: string,
): Promise<{ readonly status: number | undefined; readonly answer: unknown }> {
  try {
    const request = get({ ...agent.at, path, signal: AbortSignal.timeout(LIMIT_MS), agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = await wholeText(response);
    const { statusCode } = response;
    if (statusCode === 421) throw failed(agent, printable(body.trim(), 200));
    return { status: statusCode, answer: statusCode === 200 ? parsedJson(body) : undefined };
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code, name, message } = error as NodeJS.ErrnoException; // of http
    if (code === 'ECONNREFUSED' || code === 'ENOENT')
      throw failed(agent, 'connection refused: is it running with this admin.listen?', error);
    throw failed(
      agent,
      name === 'TimeoutError' ? `no answer within ${LIMIT_MS / 1000} s` : printable(message, 200),
      error,
    );
  }
}

function failed({ name }: AgentAddress, problem: string, cause?: unknown): CliError {
  return new CliError(EXIT.failed, `agent ${printable(name)}: ${problem}`, { cause });
}
