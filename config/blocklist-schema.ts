import type { z } from 'zod';
import { parseAddress, parseNetwork } from '../contract/address.ts';
import { boolean, fraction, listOf, map, text } from './fields.ts';

const MAX_PROTECTED = 256;

const place = text(
  'an address or a network like 192.0.2.0/24',
  (typed) => parseAddress(typed) !== undefined || parseNetwork(typed) !== undefined,
);

/** The section for the commands that change the blocklist. The agent checks it and does not use it. */
export const blocklist = map({
  protected: listOf(place, MAX_PROTECTED, 'addresses and networks', 0)
    .prefault([])
    .describe(
      'Addresses that no command blocks without `--force`, in addition to loopback and the address you are logged in from.',
    ),
  protectPrivate: boolean()
    .prefault(true)
    .describe('Whether private, link-local and carrier-grade NAT addresses are protected in the same way.'),
  manualExpiry: text('a duration up to 9999d, like 12h or 30d', (typed) => /^[1-9]\d{0,3}[smhd]$/.test(typed))
    .optional()
    .describe(
      'How long an entry of `block` lasts without `--for` and `--until`. Without this setting, it has no expiry.',
    ),
  maxChange: fraction()
    .prefault(0.5)
    .describe('How much of a list one sync may add or remove without `--yes`, as a fraction of its entries.'),
});

/** The settings of those commands. */
export type BlocklistSettings = z.output<typeof blocklist>;
