import { type Decision, onTrial } from './decision.ts';
import { Splitter } from './split.ts';

export interface RefinementSettings {
  /** The name of the message. */
  readonly message: string;
  /** The backends that HAProxy has rules for. */
  readonly backends: readonly string[];
  /** The message is on trial. */
  readonly shadow: boolean;
}

export interface RefinementEvents {
  /** An entry routes to a backend that the configuration does not name: the request goes where it went without. */
  unknownBackend(backend: string, decision: Decision): void;
  /** Something was decided that is not enforced. */
  trial(message: string, decision: Decision, client: string): void;
}

/** What becomes of the decision on a message's subjects before HAProxy is told: the choice of a backend, and a trial. */
export class Refinement {
  readonly #message: string;
  readonly #backends: ReadonlySet<string>;
  readonly #shadow: boolean;
  readonly #events: RefinementEvents;
  readonly #splitter = new Splitter();
  /** Equal decisions stay the same object, so that their encoding can be reused. */
  readonly #trials = new WeakMap<Decision, Decision>();
  readonly #unrouted = new WeakMap<Decision, Decision>();

  constructor({ message, backends, shadow }: RefinementSettings, events: RefinementEvents) {
    this.#message = message;
    this.#backends = new Set(backends);
    this.#shadow = shadow;
    this.#events = events;
  }

  /** Whether there is anything to do: mostly there is not, and no text of the client is needed. */
  concerns({ action }: Decision): boolean {
    return action === 'route' || action === 'log' || (this.#shadow && action !== 'allow');
  }

  /** `client` is any text that tells one client from another. */
  refine(decision: Decision, client: string): Decision {
    const routed = decision.action === 'route' ? this.#route(this.#splitter.choose(decision, client)) : decision;
    const refined = this.#shadow ? memoized(this.#trials, routed, onTrial) : routed;
    if (refined.action === 'log') this.#events.trial(this.#message, refined, client);
    return refined;
  }

  #route(decision: Decision): Decision {
    const backend = decision.vars?.backend;
    if (backend === undefined || this.#backends.has(backend)) return decision;
    this.#events.unknownBackend(backend, decision);
    return memoized(this.#unrouted, decision, withoutBackend);
  }
}

function withoutBackend(decision: Decision): Decision {
  const { backend: _backend, ...vars } = decision.vars ?? {};
  return { ...decision, action: 'tag', vars };
}

function memoized(known: WeakMap<Decision, Decision>, decision: Decision, make: (decision: Decision) => Decision) {
  const made = known.get(decision) ?? make(decision);
  known.set(decision, made);
  return made;
}
