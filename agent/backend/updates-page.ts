import { Change, pageProblem, UpdatesEnvelope, type UpdatesPage } from '../../contract/updates.ts';
import { BackendError } from './backend-error.ts';

/** A page, or that the place is not in the log any more (`gone`), or that the backend has no log (`none`). */
export type UpdatesAnswer = UpdatesPage | 'gone' | 'none';

/** Changes that are checked in one turn of the event loop. */
const SLICE = 100;

/** Reads a page, and checks all of it; `pause` lets other work in between. */
export async function readPage(
  text: string,
  lists: readonly string[],
  pause: () => Promise<void>,
): Promise<UpdatesPage> {
  const { changes: received, ...rest } = envelopeOf(text);
  const changes: Change[] = [];
  for (let at = 0; at < received.length; at += SLICE) {
    if (at > 0) await pause();
    const slice = received.slice(at, at + SLICE).map(changeOf);
    const problem = pageProblem({ ...rest, changes: slice }, lists);
    if (problem !== undefined) throw new BackendError('failing', `page of updates: ${problem}`);
    changes.push(...slice);
  }
  return { ...rest, changes };
}

function envelopeOf(text: string): ReturnType<typeof UpdatesEnvelope.parse> {
  try {
    return UpdatesEnvelope.parse(JSON.parse(text));
  } catch (error) {
    throw new BackendError('failing', 'answer is not a page of updates', { cause: error });
  }
}

/** The change as it was received: fields of later versions count for the digest of a list. */
function changeOf(received: unknown): Change {
  if (!Change.safeParse(received).success)
    throw new BackendError('failing', 'page of updates: a change violates the contract');
  return received as Change; // just checked
}
