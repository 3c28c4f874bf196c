import { open } from 'node:fs/promises';
import { shown } from '../../contract/shown.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { openUrl, printableUrl } from './url.ts';

export interface SourceOptions {
  /** What an earlier fetch said, to be told when nothing has changed since. */
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type Source =
  | { readonly unchanged: true; readonly said: string }
  | {
      readonly unchanged: false;
      readonly bytes: AsyncIterable<Uint8Array>;
      /** Printable, for messages and for finding out the format; of a URL without its query, which may hold a key. */
      readonly name: string;
      /** To be given with the next fetch. */
      readonly etag?: string | undefined;
      readonly lastModified?: string | undefined;
      /** One printable line: what the server or the file system said. */
      readonly said: string;
    };

const STANDARD_INPUT = 'standard input';

/** What a source is called in messages and in the table: of a URL all but its query, in which keys are kept. */
export function sourceName(what: string): string {
  if (what === '-') return STANDARD_INPUT;
  return isUrl(what) && URL.canParse(what) ? printableUrl(new URL(what)) : shown(what, 200);
}

/** Opens a file, an http or https URL, or `-` for standard input. Throws a CliError, also while its bytes are read. */
export function openSource(what: string, options: SourceOptions): Promise<Source> {
  if (what === '-') return Promise.resolve(standardInput());
  return isUrl(what) ? openUrl(what, options) : openFile(what, options.signal);
}

function isUrl(what: string): boolean {
  return /^https?:\/\//i.test(what);
}

function standardInput(): Source {
  return { unchanged: false, bytes: process.stdin, name: STANDARD_INPUT, said: STANDARD_INPUT };
}

async function openFile(path: string, signal: AbortSignal | undefined): Promise<Source> {
  const name = shown(path, 200);
  const file = await open(path).catch((error: unknown) => {
    throw unreadable(name, error);
  });
  const stats = await file.stat();
  if (stats.isDirectory()) {
    await file.close();
    throw new CliError(EXIT.failed, `cannot read ${name}: it is a directory`);
  }
  const said = `${name}, ${stats.size} bytes of ${stats.mtime.toISOString()}`;
  return { unchanged: false, bytes: bytesOf(name, file.createReadStream({ signal })), name, said };
}

async function* bytesOf(name: string, stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    throw unreadable(name, error);
  }
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTDIR: 'a part of the path is no directory',
  ENAMETOOLONG: 'the name is too long',
  ABORT_ERR: 'stopped',
};

function unreadable(name: string, error: unknown): CliError {
  const { code, message } = error as NodeJS.ErrnoException; // node:fs throws nothing else
  return new CliError(EXIT.failed, `cannot read ${name}: ${FILE_ERRORS[code ?? ''] ?? shown(message, 200)}`, {
    cause: error,
  });
}
