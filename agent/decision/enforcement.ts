import { type MissingRule, missingRules, type Rules, supported } from '../../contract/missing-rules.ts';
import { type Decision, inShadowMode } from './decision.ts';
import { TrafficSplit } from './traffic-split.ts';

export interface EnforcementSettings {
  /** The name of the message. */
  readonly message: string;
  /** What HAProxy has rules for. */
  readonly rules: Rules;
  /** Is the message in shadow mode? */
  readonly shadow: boolean;
}

export interface EnforcementEvents {
  /** HAProxy has no rule for parts of a decision: `instead` is sent. */
  unsupported(decision: Decision, missing: readonly MissingRule[], instead: Decision): void;
  /** A decision is not enforced. */
  shadowed(message: string, decision: Decision, client: string): void;
}

/** The nearest decision that HAProxy has rules for, and the parts of the original that it has none for. */
interface Supported {
  readonly decision: Decision;
  readonly missing: readonly MissingRule[];
}

/** Applied to a decision before it is sent: the choice of a backend, what HAProxy has rules for, and shadow mode. */
export class Enforcement {
  readonly #message: string;
  readonly #rules: Rules;
  readonly #shadow: boolean;
  readonly #events: EnforcementEvents;
  readonly #split = new TrafficSplit();
  /** Memoized, so that equal decisions are the same object and their encoding is reused. */
  readonly #shadowed = new WeakMap<Decision, Decision>();
  readonly #supported = new WeakMap<Decision, Supported>();

  constructor({ message, rules, shadow }: EnforcementSettings, events: EnforcementEvents) {
    this.#message = message;
    this.#rules = rules;
    this.#shadow = shadow;
    this.#events = events;
  }

  /** Does `apply` change or report the decision? Mostly it does not, and `client` need not be formatted. */
  appliesTo(decision: Decision): boolean {
    const { action } = decision;
    if (action === 'route' || action === 'log' || (this.#shadow && action !== 'allow')) return true;
    return !saysNothing(decision) && this.#supportedOf(decision).missing.length > 0;
  }

  /** `client` is any text that distinguishes clients. */
  apply(decision: Decision, client: string): Decision {
    const routed = decision.action === 'route' ? this.#split.choose(decision, client) : decision;
    const obeyed = this.#supportedOf(routed);
    if (obeyed.missing.length > 0 && routed.source !== 'policy')
      this.#events.unsupported(routed, obeyed.missing, obeyed.decision);
    const applied = this.#shadow ? memoized(this.#shadowed, obeyed.decision, inShadowMode) : obeyed.decision;
    if (applied.action === 'log') this.#events.shadowed(this.#message, applied, client);
    return applied;
  }

  #supportedOf(decision: Decision): Supported {
    return memoized(this.#supported, decision, () => supportedBy(this.#rules, decision));
  }
}

export function supportedBy(rules: Rules, decision: Decision): Supported {
  const missing = missingRules(decision, rules);
  if (missing.length === 0) return { decision, missing };
  const { action: _action, status: _status, vars: _vars, ...rest } = decision;
  return { decision: { ...rest, ...supported(decision, missing) }, missing };
}

/** The most common decision: nothing in it needs a rule. */
function saysNothing({ action, vars }: Decision): boolean {
  return action === 'allow' && vars === undefined;
}

function memoized<Made>(known: WeakMap<Decision, Made>, decision: Decision, make: (decision: Decision) => Made): Made {
  const made = known.get(decision) ?? make(decision);
  known.set(decision, made);
  return made;
}
