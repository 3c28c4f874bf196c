import { createHash } from 'node:crypto';
import { HUNDREDTHS_OF_PERCENT, parseSplit, type Way } from '../../contract/vars.ts';
import type { Decision } from './decision.ts';

interface Ways {
  readonly ways: readonly { readonly upTo: number; readonly decision: Decision }[];
  readonly beyond: Decision;
}

/**
 * Sends each client one of the ways of a `split`, and always the same one as long as the entry says so: the place of a
 * client between 0 and 100 percent is a hash of the client and the entry. Ways follow each other in their order, so that
 * widening one moves nobody who is on it, and widening the last moves nobody at all who has a way.
 */
export class Splitter {
  readonly #known = new WeakMap<Decision, Ways>();

  /** The decision for this client; `client` is any text that tells it from others. */
  choose(decision: Decision, client: string): Decision {
    if (decision.vars?.split === undefined) return decision;
    const { ways, beyond } = this.#waysOf(decision, decision.vars.split);
    // an entry for the client itself is named by its text when it is fresh, and not when it comes from the cache
    const entry = decision.ofAddress ? `ip:${client}` : (decision.entry ?? '');
    const place = placeOf(`${decision.list}|${entry}|${client}`);
    return ways.find(({ upTo }) => place < upTo)?.decision ?? beyond;
  }

  #waysOf(decision: Decision, split: string): Ways {
    let known = this.#known.get(decision);
    if (known === undefined) {
      known = waysOf(decision, parseSplit(split) ?? []);
      this.#known.set(decision, known);
    }
    return known;
  }
}

/** Each way is a decision of its own, made once, so that its encoding can be reused. */
function waysOf(decision: Decision, ways: readonly Way[]): Ways {
  const { split: _split, ...vars } = decision.vars ?? {};
  let upTo = 0;
  const decisions = ways.map(({ backend, hundredthsOfPercent }) => {
    upTo += hundredthsOfPercent;
    return { upTo, decision: { ...decision, vars: { ...vars, backend } } };
  });
  // With a backend beside the split, that one is for all others; without one they are not routed at all.
  const beyond: Decision = vars.backend === undefined ? { ...decision, action: 'tag', vars } : { ...decision, vars };
  return { ways: decisions, beyond };
}

function placeOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() % HUNDREDTHS_OF_PERCENT;
}
