import type { z } from 'zod';
import { parseAddress, parseNetwork } from '../contract/address.ts';
import { boolean, fraction, listOf, map, text } from './fields.ts';

const MAX_PROTECTED = 256;

const place = text(
  'an address or a network like 192.0.2.0/24',
  (typed) => parseAddress(typed) !== undefined || parseNetwork(typed) !== undefined,
);

/** The part about the commands that change the blocklist. The agent checks it and uses nothing of it. */
export const blocklist = map({
  protected: listOf(place, MAX_PROTECTED, 'addresses and networks', 0)
    .prefault([])
    .describe('What no command blocks without `--force`, beside loopback and the address you are logged in from.'),
  protectPrivate: boolean()
    .prefault(true)
    .describe('Whether private, link-local and carrier-grade NAT addresses are protected in the same way.'),
  manualExpiry: text('a duration up to 9999d, like 12h or 30d', (typed) => /^[1-9]\d{0,3}[smhd]$/.test(typed))
    .optional()
    .describe(
      'When an entry of `block` ends that says neither `--for` nor `--until`; without this setting it never does.',
    ),
  maxChange: fraction()
    .prefault(0.5)
    .describe('By which fraction of its entries one sync may grow or shrink a list without `--yes`.'),
});

/** What the commands are told about the blocklist. */
export type BlocklistSettings = z.output<typeof blocklist>;
