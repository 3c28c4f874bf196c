import { DENYING_ACTIONS } from '../../contract/actions.ts';
import { isPermitted } from '../../contract/permitted-actions.ts';
import { REASONS } from '../../contract/policy.ts';
import { decideByPolicy } from '../decision/policy.ts';
import type { Sample } from '../state/metric-types.ts';
import type { AgentState, DecisionCount } from '../state/state.ts';

/** The sources of decisions about listed subjects. */
const KNOWN_FROM = ['mirror', 'cache', 'backend', 'stale'] as const;

/** The series of `haverdict_decisions_total`, with 0 for decisions that have not happened yet. */
export function decisionSeries(state: AgentState): Sample[] {
  return addUp([...presets(state), ...state.decisions]);
}

/**
 * Series worth an alert exist from the start: a counter that first appears with the value 1 hides that increment from
 * `rate` and `increase`.
 */
function presets(state: AgentState): DecisionCount[] {
  return [...policyDecisions(state), ...listDecisions(state), ...scriptDecisions(state)];
}

function policyDecisions({ config }: AgentState): DecisionCount[] {
  return config.messages.flatMap(({ name, policy }) =>
    REASONS.map((reason) => {
      const { action, source } = decideByPolicy(policy, reason);
      return { message: name, action, source, reason, list: '', count: 0 };
    }),
  );
}

/** Allows without an entry, and the denies of each list, or the `log` of one in shadow mode. */
function listDecisions({ config: { messages, lists, shadowLists, listActions } }: AgentState): DecisionCount[] {
  return messages
    .filter(({ subjects }) => subjects.length > 0)
    .flatMap(({ name: message, shadow }) =>
      KNOWN_FROM.flatMap((source) => {
        const none = { message, source, reason: '', count: 0 };
        const stopped = lists.flatMap((list) =>
          actionsOf(shadow || shadowLists.includes(list))
            .filter((action) => action === 'log' || isPermitted(listActions, { list, action }))
            .map((action) => ({ ...none, action, list })),
        );
        return [{ ...none, action: 'allow', list: '' } as const, ...stopped];
      }),
    );
}

function scriptDecisions({ config: { messages, script } }: AgentState): DecisionCount[] {
  if (script === undefined) return [];
  return messages.flatMap(({ name: message, shadow }) =>
    actionsOf(shadow).map((action) => ({ message, action, source: 'script', reason: '', list: '', count: 0 })),
  );
}

function actionsOf(isShadow: boolean): readonly DecisionCount['action'][] {
  return isShadow ? ['log'] : DENYING_ACTIONS;
}

/** Adds up equal series: Prometheus rejects the whole scrape if a series occurs twice. */
function addUp(decisions: readonly DecisionCount[]): Sample[] {
  const sums = new Map<string, Sample>();
  for (const { count, message, action, source, reason, list } of decisions) {
    const key = [message, action, source, reason, list].join('\n');
    sums.set(key, { labels: { message, action, source, reason, list }, value: (sums.get(key)?.value ?? 0) + count });
  }
  return [...sums.values()];
}
