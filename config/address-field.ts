import { z } from 'zod';
import { text } from './fields.ts';
import { MAX_UNIX_PATH_BYTES, parseListenAddress } from './listen-address.ts';

/** An address written as one text. */
export const address = text(
  `tcp://HOST:PORT, tcp://[IPV6]:PORT or unix:/PATH (at most ${MAX_UNIX_PATH_BYTES} bytes)`,
  (written) => parseListenAddress(written) !== undefined,
).transform((written) => parseListenAddress(written) ?? z.NEVER);
