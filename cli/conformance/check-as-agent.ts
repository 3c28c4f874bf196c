import { createCredentialChain } from '../../agent/backend/credential-chain.ts';
import { Credentials, type Identity } from '../../agent/backend/credentials.ts';
import { createSigner, type Signer } from '../../agent/backend/signer.ts';
import { systemClock } from '../../agent/decision/clock.ts';
import type { Settings } from '../../config/settings.ts';
import { CheckFailed } from './expect.ts';
import { deadline } from './latency.ts';
import { outcomeOf, type Result, runChecks } from './run-checks.ts';
import type { CheckOptions } from './target.ts';
import { Target } from './target.ts';

/** The checks in addition to the contract, which need the settings of an agent. */
export const AGENT_CHECKS = ['settings', 'credentials', 'clock', 'deadline'] as const;

/** A credential helper may hang. */
const CREDENTIALS_LIMIT_MS = 10_000;
/** AWS accepts five minutes; the agent warns at the same limit. */
const MAX_SKEW_MS = 2 * 60_000;

export interface AgentCheckResult extends Result {
  readonly url: string;
}

/** Checks every function of the settings as the agent calls it: signed or not, with its timeout. */
export async function* checkAsAgent(
  { backend, deadlineMs }: Pick<Settings, 'backend' | 'deadlineMs'>,
  asked: CheckOptions,
  timeoutMs: number,
): AsyncGenerator<AgentCheckResult> {
  for (const { url, region } of backend.targets) {
    const withUrl = (result: Result): AgentCheckResult => ({ url, ...result });
    const how = region === undefined ? 'not signed' : `signed for ${region}`;
    const why = `${url}, ${how}, lists ${asked.lists.join(', ')}, timeout ${timeoutMs} ms`;
    yield withUrl({ name: 'settings', state: 'ok', why });
    let sign: Signer | undefined;
    if (region !== undefined) {
      const credentials = new Credentials(await createCredentialChain(region), systemClock, {
        got() {},
        failed() {},
        renewed() {},
      });
      const result = await outcomeOf('credentials', async () => describe(await soon(credentials.get())));
      yield withUrl(result);
      if (result.state === 'failed') continue; // requests cannot be signed
      sign = await createSigner(region, credentials, systemClock);
    }
    const target = new Target(url, timeoutMs, sign);
    for await (const result of runChecks(target, { ...asked, timeoutMs })) yield withUrl(result);
    if (target.exchanges.length === 0) continue; // not reachable
    yield withUrl(await outcomeOf('clock', async () => clock(target)));
    yield withUrl(await outcomeOf('deadline', async () => deadline(target, asked, deadlineMs)));
  }
}

async function soon(identity: Promise<Identity>): Promise<Identity> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = new CheckFailed(`no AWS credentials within ${CREDENTIALS_LIMIT_MS / 1000} s`);
  const cancel = systemClock.after(CREDENTIALS_LIMIT_MS, () => reject(late));
  try {
    return await Promise.race([identity, promise]);
  } catch (error) {
    throw new CheckFailed(error instanceof Error ? error.message : String(error));
  } finally {
    cancel();
  }
}

/** Describes credentials. The key id is not secret and identifies them. */
function describe({ accessKeyId, sessionToken, expiration }: Identity): string {
  const kind = sessionToken === undefined ? 'a long-term key' : 'a session';
  return `${kind}, …${accessKeyId.slice(-4)}, ${expiration === undefined ? 'no expiry' : `until ${expiration.toISOString()}`}`;
}

function clock({ exchanges }: Target): string {
  const skews = exchanges.flatMap(({ answer }) => (answer.skewMs === undefined ? [] : [answer.skewMs]));
  const [skewMs] = skews.sort((a, b) => Math.abs(a) - Math.abs(b));
  if (skewMs === undefined) return 'the answers have no date header';
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const skew = `this host is ${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} the function`;
  if (Math.abs(skewMs) > MAX_SKEW_MS)
    throw new CheckFailed(`${skew}: AWS refuses signatures that are five minutes off`);
  return skew;
}
