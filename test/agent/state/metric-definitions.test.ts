import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { metricsText } from '../../../agent/admin/prometheus-text.ts';
import { mergeStates } from '../../../agent/state/merge.ts';
import { COUNTERS, PROCESS, READINGS, SECTIONS } from '../../../agent/state/metric-definitions.ts';
import type { MetricDefinition } from '../../../agent/state/metric-types.ts';
import type { AgentState } from '../../../agent/state/state.ts';
import { agentState } from '../../support/agent-state.ts';
import { readMetrics } from '../../support/prometheus-text.ts';

/** Every measure, and where its value is in the state. */
const MEASURES = Object.entries({ '': PROCESS, ...SECTIONS }).flatMap(([section, measures]) =>
  Object.entries<MetricDefinition<unknown>>(measures).map(([name, measure]) => ({ section, name, measure })),
);

/** How the values of workers become one where they are not added up. */
const NOT_SUMS = [
  'haverdict_event_loop_lag_seconds',
  'haverdict_breaker_state',
  'haverdict_updates_state',
  'haverdict_updates_age_seconds',
  'haverdict_mirror_state',
  'haverdict_mirror_age_seconds',
  'haverdict_mirror_entries',
];
/** The states of measures, from the best to the worst. */
const STATES: Readonly<Record<string, readonly string[]>> = {
  haverdict_breaker_state: ['closed', 'probing', 'open'],
  haverdict_updates_state: ['off', 'live', 'behind'],
  haverdict_mirror_state: ['off', 'live', 'loading', 'behind'],
};

describe('the measures', () => {
  it('have a name and a metric of their own each', () => {
    const namesOf = (all: object) => Object.values(all).flatMap((section: object) => Object.keys(section));
    const counters = namesOf(COUNTERS);
    const declared = [...counters, ...namesOf(READINGS)];
    assert.equal(new Set(counters).size, counters.length, 'all counters of a process are in one object');
    assert.equal(MEASURES.length, declared.length, 'each is in the state');
    assert.equal(new Set(MEASURES.map(({ measure }) => measure.name)).size, MEASURES.length);
  });

  for (const { section, name, measure } of MEASURES) {
    it(`${name} is merged from where it is in the state`, () => {
      const [zero, one, two] = [0, 1, 2].map((scale) => stateWith(section, name, valueOfScale(measure, scale)));
      const merged = valueIn(mergeStates([zero, one, two] as AgentState[]), section, name);
      assert.deepEqual(merged, valueOfScale(measure, NOT_SUMS.includes(measure.name) ? 2 : 3));
    });

    it(`${name} is shown as ${measure.name}`, () => {
      const shown = (scale: number) =>
        readMetrics(metricsText(stateWith(section, name, valueOfScale(measure, scale))))
          .series.filter((series) => series.name.startsWith(measure.name))
          .map(({ value }) => value);
      assert.notDeepEqual(shown(1), shown(2));
    });
  }
});

function stateWith(section: string, name: string, value: unknown): AgentState {
  const state = agentState();
  const changed = { ...(section === '' ? {} : (state[section as 'cache'] as object)), [name]: value };
  return { ...state, ...(section === '' ? changed : { [section]: changed }) };
}

function valueIn(state: object, section: string, name: string): unknown {
  const values = section === '' ? state : state[section as keyof typeof state];
  return values[name as keyof typeof values];
}

/** The first value of a measure, with each number as great as this. */
function valueOfScale(measure: MetricDefinition<unknown>, scale: number): unknown {
  if (measure.labels.includes('state')) return STATES[measure.name]?.[scale];
  if (measure.name === 'haverdict_spop_errors_total') return { 13: scale };
  if (measure.name === 'haverdict_mirror_entries') return { manual: scale };
  const scaled = (value: unknown, key = ''): unknown => {
    if (value === null) return scale;
    if (typeof value === 'number') return key === 'bounds' ? value : scale;
    if (Array.isArray(value)) return value.map((each) => scaled(each, key));
    return Object.fromEntries(Object.entries(value as object).map(([key, each]) => [key, scaled(each, key)]));
  };
  return scaled(measure.zero());
}
