import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { didYouMean } from '../../config/did-you-mean.ts';
import { usageError } from '../exit/cli-error.ts';

const SECTION = /^\s*\[\s*(?:profile\s+)?["']?([^\]"']+?)["']?\s*\]/gm;

/** Throws if neither of the AWS CLI's files has this profile: the SDK would say only that it has no region or credentials. */
export function checkProfile(name: string, env: NodeJS.ProcessEnv): void {
  const folder = join(env.HOME ?? homedir(), '.aws');
  const files = [
    env.AWS_CONFIG_FILE ?? join(folder, 'config'),
    env.AWS_SHARED_CREDENTIALS_FILE ?? join(folder, 'credentials'),
  ];
  const known = files.flatMap(profilesIn);
  if (name === 'default' || known.includes(name)) return;
  const meant = didYouMean(name, known);
  throw usageError(
    `profile ${name} is in neither ${files.join(' nor ')}${meant === undefined ? '' : `: did you mean ${meant}?`}`,
  );
}

function profilesIn(file: string): string[] {
  try {
    return [...readFileSync(file, 'utf8').matchAll(SECTION)].map(([, name = '']) => name);
  } catch {
    return []; // a file that is not there has no profile
  }
}
