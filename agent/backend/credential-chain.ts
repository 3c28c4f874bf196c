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
      throw new Error([...reasons].join('; '), { cause: error });
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
