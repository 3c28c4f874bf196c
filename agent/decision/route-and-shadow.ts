import { type Decision, inShadowMode } from './decision.ts';
import { TrafficSplit } from './traffic-split.ts';

export interface RouteAndShadowSettings {
  /** The name of the message. */
  readonly message: string;
  /** The backends that HAProxy has rules for. */
  readonly backends: readonly string[];
  /** Is the message in shadow mode? */
  readonly shadow: boolean;
}

export interface RouteAndShadowEvents {
  /** An entry routes to a backend that is not in the configuration: the request is not routed. */
  unknownBackend(backend: string, decision: Decision): void;
  /** A decision is not enforced. */
  shadowed(message: string, decision: Decision, client: string): void;
}

/** Applied to a decision before it is sent: the choice of a backend, and shadow mode. */
export class RouteAndShadow {
  readonly #message: string;
  readonly #backends: ReadonlySet<string>;
  readonly #shadow: boolean;
  readonly #events: RouteAndShadowEvents;
  readonly #split = new TrafficSplit();
  /** Memoized, so that equal decisions are the same object and their encoding is reused. */
  readonly #shadowed = new WeakMap<Decision, Decision>();
  readonly #unrouted = new WeakMap<Decision, Decision>();

  constructor({ message, backends, shadow }: RouteAndShadowSettings, events: RouteAndShadowEvents) {
    this.#message = message;
    this.#backends = new Set(backends);
    this.#shadow = shadow;
    this.#events = events;
  }

  /** Does `apply` change or report the decision? Mostly it does not, and `client` need not be formatted. */
  appliesTo({ action }: Decision): boolean {
    return action === 'route' || action === 'log' || (this.#shadow && action !== 'allow');
  }

  /** `client` is any text that distinguishes clients. */
  apply(decision: Decision, client: string): Decision {
    const routed = decision.action === 'route' ? this.#route(this.#split.choose(decision, client)) : decision;
    const applied = this.#shadow ? memoized(this.#shadowed, routed, inShadowMode) : routed;
    if (applied.action === 'log') this.#events.shadowed(this.#message, applied, client);
    return applied;
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
