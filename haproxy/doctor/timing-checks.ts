import { PROCESSING_MARGIN_MS } from '../../spop/haproxy/spoe-sections.ts';
import { durationMs } from '../parse/duration.ts';
import { lastOf, type ProxySection } from '../parse/proxy.ts';
import { hasNativeSpop } from '../versions.ts';
import type { Checks, Occurrence } from './check.ts';
import type { Engine, Installation } from './installation.ts';

/** A longer wait for an agent that is gone is an outage in itself. */
const MAX_WAIT_MS = 1000;

/** Do HAProxy's timeouts fit the deadline of the agent? */
export const TIMING_CHECKS = {
  'timeout-processing-missing': {
    severity: 'error',
    why: 'HAProxy waits for an agent that hangs until the client gives up',
    write: 'timeout processing <ms>ms',
    *find({ engines, settings }) {
      for (const { agent } of engines)
        if (lastOf(agent.lines, 'timeout', 'processing') === undefined)
          yield { place: agent.place, what: 'no timeout processing', values: processing(settings) };
    },
  },
  'timeout-processing-short': {
    severity: 'error',
    why: 'HAProxy gives up before the deadline of the agent: late answers become errors, and under policy open those requests pass',
    write: 'timeout processing <ms>ms',
    *find({ engines, settings }) {
      for (const { engine, place, ms } of processingTimes(engines))
        if (ms <= settings.deadlineMs)
          yield {
            place,
            what: `${engine.agent.name} waits ${ms} ms, the agent answers within ${settings.deadlineMs} ms`,
            values: processing(settings),
          };
    },
  },
  'timeout-processing-long': {
    severity: 'warning',
    why: 'when the agent hangs, each request waits this long until the check notices',
    write: 'timeout processing <ms>ms',
    *find({ engines, settings }) {
      for (const { engine, place, ms } of processingTimes(engines))
        if (ms > settings.deadlineMs + MAX_WAIT_MS)
          yield {
            place,
            what: `${engine.agent.name} waits ${ms} ms, the agent answers within ${settings.deadlineMs} ms`,
            values: processing(settings),
          };
    },
  },
  'timeout-hello-missing': {
    severity: 'warning',
    why: 'before HAProxy 3.1 a connection that is accepted but never gets a HELLO stays open forever',
    write: 'timeout hello <ms>ms',
    find: ({ engines, settings }) => olderTimeout('hello', engines, settings, processing(settings)),
  },
  'timeout-idle-missing': {
    severity: 'warning',
    why: 'before HAProxy 3.1 idle connections stay open forever, or until timeout server breaks them',
    write: 'timeout idle 120s',
    find: ({ engines, settings }) => olderTimeout('idle', engines, settings),
  },
  'timeout-server-short': {
    severity: 'error',
    why: 'HAProxy closes the connection before the deadline of the agent: those requests become errors',
    write: 'timeout server 180s',
    *find({ engines, settings }) {
      for (const { place, ms } of backendTimes(engines, 'server'))
        if (ms <= settings.deadlineMs)
          yield { place, what: `timeout server ${ms} ms, the agent answers within ${settings.deadlineMs} ms` };
    },
  },
  'timeout-server-below-idle': {
    severity: 'warning',
    why: 'before HAProxy 3.1 idle connections end with an I/O error before HAProxy closes them cleanly',
    write: 'timeout server <ms>ms',
    unless: ['timeout-server-short'],
    *find({ engines, settings }) {
      for (const { engine, place, ms } of backendTimes(engines, 'server')) {
        const idleMs = durationMs(lastOf(engine.agent.lines, 'timeout', 'idle')?.words[2]);
        if (idleMs !== undefined && ms <= idleMs && !hasNativeSpop(settings.haproxy.version))
          yield { place, what: `timeout server ${ms} ms, timeout idle ${idleMs} ms`, values: { ms: idleMs + 60_000 } };
      }
    },
  },
  'agents-timeout-missing': {
    severity: 'warning',
    why: 'without it a connection to an agent that hangs stays open forever',
    write: 'timeout <name> <time>',
    *find({ engines }) {
      for (const { backend } of engines)
        for (const [name, time] of backend === undefined
          ? []
          : [
              ['connect', '1s'],
              ['server', '180s'],
            ])
          if (backend !== undefined && lastOf(backend.lines, 'timeout', name ?? '') === undefined)
            yield {
              place: backend.place,
              what: `backend ${backend.name} has no timeout ${name}`,
              values: { name: name ?? '', time: time ?? '' },
            };
    },
  },
} satisfies Checks;

function processing({ deadlineMs }: Installation['settings']): { readonly ms: number } {
  return { ms: deadlineMs + PROCESSING_MARGIN_MS };
}

function processingTimes(engines: readonly Engine[]) {
  return engines.flatMap((engine) => timeOf(engine, engine.agent.lines, 'processing'));
}

function backendTimes(engines: readonly Engine[], name: string) {
  return engines.flatMap((engine) => timeOf(engine, engine.backend?.lines ?? [], name));
}

function timeOf(engine: Engine, lines: ProxySection['lines'], name: string) {
  const line = lastOf(lines, 'timeout', name);
  const ms = durationMs(line?.words[2]);
  return line === undefined || ms === undefined ? [] : [{ engine, place: line.place, ms }];
}

function* olderTimeout(
  name: string,
  engines: readonly Engine[],
  { haproxy }: Installation['settings'],
  values: NonNullable<Occurrence['values']> = {},
): Iterable<Occurrence> {
  if (hasNativeSpop(haproxy.version)) return;
  for (const { agent } of engines)
    if (lastOf(agent.lines, 'timeout', name) === undefined)
      yield { place: agent.place, what: `no timeout ${name}`, values };
}
