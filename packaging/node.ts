import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The Node in the package. An install script fetches it, so its SHA-256 is pinned here instead of in a lock file. */
export const NODE = {
  version: '24.21.0',
  sha256: {
    x64: '7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c',
    arm64: '0f8949d1028f6d61506b2d5bc57e7e6fe893d7b1997509b7847294fc9c616584',
  },
} as const;

/** Reads the Node binary; throws unless it is the pinned one. */
export function pinnedNode(path: string, architecture: keyof typeof NODE.sha256): Uint8Array {
  const bytes = readFileSync(path);
  const found = sha256(bytes);
  const expected = NODE.sha256[architecture];
  if (found === expected) return bytes;
  throw new Error(
    `${path} has SHA-256 ${found}, but Node ${NODE.version} for ${architecture} has ${expected}: build with node_modules/.bin/node, or pin another Node in packaging/node.ts`,
  );
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
