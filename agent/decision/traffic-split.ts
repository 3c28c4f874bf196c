import { createHash } from 'node:crypto';
import { HUNDREDTHS_OF_PERCENT, parseSplit, type Way } from '../../contract/entry-vars.ts';
import type { Decision } from './decision.ts';

interface SplitDecisions {
  readonly ranges: readonly { readonly upTo: number; readonly decision: Decision }[];
  readonly rest: Decision;
}

/**
 * Routes each client to one backend of a `split`, always the same as long as the entry is: the position of a client between
 * 0 and 100 percent is a hash of the client and the entry. The backends take consecutive ranges, so that widening a range
 * keeps its clients, and widening the last one moves no client that is routed.
 */
export class TrafficSplit {
  readonly #known = new WeakMap<Decision, SplitDecisions>();

  /** The decision for this client; `client` is any text that distinguishes clients. */
  choose(decision: Decision, client: string): Decision {
    if (decision.vars?.split === undefined) return decision;
    const { ranges, rest } = this.#splitDecisions(decision, decision.vars.split);
    // An entry for the client itself has its text when it comes from the backend, and not when it comes from the cache.
    const entry = decision.ofAddress ? `ip:${client}` : (decision.entry ?? '');
    const position = positionOf(`${decision.list}|${entry}|${client}`);
    return ranges.find(({ upTo }) => position < upTo)?.decision ?? rest;
  }

  #splitDecisions(decision: Decision, split: string): SplitDecisions {
    let known = this.#known.get(decision);
    if (known === undefined) {
      known = splitDecisions(decision, parseSplit(split) ?? []);
      this.#known.set(decision, known);
    }
    return known;
  }
}

/** One decision for each backend, made once, so that its encoding is reused. */
function splitDecisions(decision: Decision, ways: readonly Way[]): SplitDecisions {
  const { split: _split, ...vars } = decision.vars ?? {};
  let upTo = 0;
  const decisions = ways.map(({ backend, hundredthsOfPercent }) => {
    upTo += hundredthsOfPercent;
    return { upTo, decision: { ...decision, vars: { ...vars, backend } } };
  });
  // All other clients go to the backend of the entry; without one they are not routed.
  const rest: Decision = vars.backend === undefined ? { ...decision, action: 'tag', vars } : { ...decision, vars };
  return { ranges: decisions, rest };
}

function positionOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() % HUNDREDTHS_OF_PERCENT;
}
