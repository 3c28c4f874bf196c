import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { plural } from '../output/plural.ts';
import { standardInput } from '../output/streams.ts';
import { openUrl } from './fetch-url.ts';
import type { Source, SourceOptions } from './source.ts';

/** Opens a file, an http or https URL, or `-` for standard input. Throws a CliError, also while its bytes are read. */
export function openSource(what: string, options: SourceOptions): Promise<Source> {
  if (what === '-') return Promise.resolve(openStandardInput());
  return isUrl(what) ? openUrl(what, options) : openFile(what, options.signal);
}

function isUrl(what: string): boolean {
  return /^(https?:|[a-z][a-z0-9+.-]*:\/\/)/i.test(what);
}

function openStandardInput(): Source {
  const { bytes, ...input } = standardInput();
  const name = printable(input.name, 200);
  return { unchanged: false, bytes, name, ending: extname(input.name), summary: name };
}

async function openFile(path: string, signal: AbortSignal | undefined): Promise<Source> {
  const name = printable(path, 200);
  const file = await open(path).catch((error: unknown) => {
    throw unreadable(name, error);
  });
  const stats = await file.stat();
  if (stats.isDirectory()) {
    await file.close();
    throw new CliError(EXIT.failed, `cannot read ${name}: it is a directory`);
  }
  const summary = `${name}, ${plural(stats.size, 'byte')} of ${stats.mtime.toISOString()}`;
  const bytes = bytesOf(name, file.createReadStream({ signal }));
  return { unchanged: false, bytes, name, ending: extname(path), summary };
}

async function* bytesOf(name: string, stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    throw unreadable(name, error);
  }
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTDIR: 'a part of the path is not a directory',
  ENAMETOOLONG: 'the name is too long',
  ABORT_ERR: 'stopped',
};

function unreadable(name: string, error: unknown): CliError {
  const { code, message } = error as NodeJS.ErrnoException; // node:fs throws nothing else
  return new CliError(EXIT.failed, `cannot read ${name}: ${FILE_ERRORS[code ?? ''] ?? printable(message, 200)}`, {
    cause: error,
  });
}
