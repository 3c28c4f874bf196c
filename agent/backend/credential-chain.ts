import type { Identity } from './credentials.ts';

/**
 * The default credential chain of the AWS SDK, created anew for each attempt: a hanging one would share its attempt with
 * the next, and files must be read again. The package is loaded only if calls are signed.
 */
export async function createCredentialChain(region: string): Promise<() => Promise<Identity>> {
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
  return async () => {
    const reasons = new Set<string>();
    const logger = { ...SILENT, debug: (line: unknown) => void noteReason(reasons, line) };
    try {
      return await fromNodeProviderChain({ ignoreCache: true, clientConfig: { region }, logger })();
    } catch (error) {
      // any other error is that of a provider that is configured
      if (reasons.size === 0 || !NO_PROVIDER_LEFT.test(String(error))) throw error;
      throw new Error(describeReasons([...reasons]), { cause: error });
    }
  };
}

const ignore = (): void => {};
const SILENT = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Why a provider of the chain has no credentials is only in the SDK's log; the error says that no provider is left. */
const PASSED_ON = /^@smithy\/property-provider -> (?!.*skipping)(.*)/is;

const NO_PROVIDER_LEFT = /could not load credentials from any providers/i;

function noteReason(reasons: Set<string>, line: unknown): void {
  const [, reason] = PASSED_ON.exec(String(line)) ?? [];
  // Node puts the whole command before its standard error
  const short = reason?.replace(/^Command failed: .*(\n|$)/, 'credential_process failed: ');
  if (short !== undefined) reasons.add(short.trim().replaceAll(/\s+/g, ' '));
}

/** What providers say that are not configured at all; a profile with another name was asked for. */
const NOT_CONFIGURED =
  /^(Unable to find environment variable|Could not resolve .* \[default\]|Profile default could|Web identity .* not specified)|not set in env, checking config file/;
const NO_PROFILE = /^Could not resolve .* \[default\]/;
const HINT = 'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this host a role';

/** The reasons of the providers that are configured; what to configure if there are no variables and no profile. */
function describeReasons(reasons: readonly string[]): string {
  const rest = reasons.filter((reason) => !NOT_CONFIGURED.test(reason));
  const isBare = reasons.some((reason) => NO_PROFILE.test(reason));
  return [...(isBare || rest.length === 0 ? [HINT] : []), ...rest].join('; ');
}
