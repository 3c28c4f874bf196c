import type { Identity } from './credentials.ts';

/**
 * Looks for credentials wherever the AWS SDK does. A new chain each time: one that hangs would hand its hanging attempt
 * to the next, and files are to be read again. The package is loaded only by those who sign.
 */
export async function createCredentialChain(region: string): Promise<() => Promise<Identity>> {
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
  return async () => {
    const reasons = new Set<string>();
    const logger = { ...SILENT, debug: (line: unknown) => void noteReason(reasons, line) };
    try {
      return await fromNodeProviderChain({ ignoreCache: true, clientConfig: { region }, logger })();
    } catch (error) {
      // any other error is that of a link that was meant to have some
      if (reasons.size === 0 || !NO_LINK_LEFT.test(String(error))) throw error;
      throw new Error([...reasons].join('; '), { cause: error });
    }
  };
}

const ignore = (): void => {};
const SILENT = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Why a link of the chain passes on is told to the SDK's log only; its error is that there is no link left. */
const PASSED_ON = /^@smithy\/property-provider -> (?!.*skipping)(.*)/is;

const NO_LINK_LEFT = /could not load credentials from any providers/i;

function noteReason(reasons: Set<string>, line: unknown): void {
  const [, reason] = PASSED_ON.exec(String(line)) ?? [];
  // Node puts the whole command before what it wrote to its standard error
  const short = reason?.replace(/^Command failed: .*(\n|$)/, 'credential_process failed: ');
  if (short !== undefined) reasons.add(short.trim().replaceAll(/\s+/g, ' '));
}
