import type { Settings } from '../../config/settings.ts';
import { isSentAt } from '../events.ts';
import { askedFor } from './asked.ts';
import { readingOf } from './reading.ts';
import { keptForResponse, requestChanges } from './rules/change.ts';
import { httpStops } from './rules/deny.ts';
import { refusals } from './rules/refusals.ts';
import { stopRules } from './rules/stop.ts';
import { unknownRules } from './rules/unknown.ts';
import { block } from './text.ts';

/** The lines of a backend that obey what is decided once it is chosen; the filter is that of the frontend. */
export function backendRules(settings: Settings): string {
  const message = settings.messages.find((message) => isSentAt(message, { section: 'backend' }));
  if (message === undefined) return '';
  const reading = readingOf(settings, message);
  return block([
    ...keptForResponse(settings, reading),
    '',
    ...refusals(settings, [message]),
    '',
    ...askedFor(message).acls,
    ...unknownRules(settings, reading, httpStops(settings, 'http-request')),
    '',
    ...stopRules(settings, reading, 'http-request'),
    '',
    ...requestChanges(settings, reading),
  ]);
}
