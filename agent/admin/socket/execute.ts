import type { Settings } from '../../../config/settings.ts';
import { formatNetwork, masked, parseAddress, parseNetwork } from '../../../contract/address.ts';
import type { Reason } from '../../../contract/policy.ts';
import { printable } from '../../../contract/printable.ts';
import { redactedSubject } from '../../../contract/redact.ts';
import { formatSubject, parseSubject, type Subject } from '../../../contract/subject.ts';
import { decideByPolicy } from '../../decision/policy.ts';
import type { AgentControl, CachedVerdict } from '../../state/agent-control.ts';
import type { BackendState } from '../../state/state.ts';
import {
  type ExplainedMessage,
  type ExplainedSubject,
  type Explanation,
  type Flushed,
  type Next,
  type Request,
  RequestError,
  type Results,
} from './protocol.ts';

/** Executes a request; rejects with `RequestError` if that is not possible. */
export async function execute(request: Request, control: AgentControl): Promise<Results[Request['command']]> {
  switch (request.command) {
    case 'state':
      return control.state();
    case 'hits':
      return control.hits();
    case 'explain':
      return explain(request.subjects, control);
    case 'flush':
      return 'all' in request ? { forgotten: await control.flush(), unknown: [] } : flush(request.subjects, control);
    case 'log-level':
      await control.setLogLevel(request.level);
      return { level: request.level, until: 'reload' };
    case 'reload': {
      const outcome = await control.reload();
      if ('problem' in outcome) throw new RequestError(`the previous configuration stays in force: ${outcome.problem}`);
      return { reloaded: true, ...outcome };
    }
    default:
      return request satisfies never;
  }
}

async function flush(subjects: readonly string[], control: AgentControl): Promise<Flushed> {
  const { config } = await control.state();
  // All subjects are parsed before the first is removed.
  const lookups = [...new Set(subjects.map((subject) => lookupOf(parseSubject(subject), config)))];
  const forgotten = await Promise.all(lookups.map((lookup) => control.flush(lookup)));
  return {
    forgotten: forgotten.reduce((sum, count) => sum + count, 0),
    unknown: lookups.filter((_, index) => forgotten[index] === 0).map(redactedSubject),
  };
}

async function explain(subjects: readonly string[], control: AgentControl): Promise<Explanation> {
  const { config, backend, updates } = await control.state();
  const asked = subjects.map((text) => {
    const subject = parseSubject(text);
    return { subject, lookup: lookupOf(subject, config) };
  });
  const explained = asked.map(async ({ subject, lookup }): Promise<ExplainedSubject> => {
    const known = await control.explain(lookup);
    return {
      subject: redactedSubject(formatSubject(subject)),
      lookup: redactedSubject(lookup),
      processes: known.map((one) => ({ ...one, next: nextFor(one, backend.breaker) })),
      messages: messagesAbout(subject, config, backend.breaker),
    };
  });
  const { state, ageSeconds } = updates;
  const followed = state === 'off' ? {} : { updates: { state, ageSeconds } };
  return { breaker: backend.breaker, ...followed, subjects: await Promise.all(explained) };
}

/** The subject in the cache and in lookups. */
function lookupOf(subject: Subject, { ipv6Prefix }: Settings): string {
  if (subject.kind !== 'ip') return formatSubject(subject);
  const address = parseAddress(subject.value);
  if (address?.length === 4) return formatSubject(subject);
  if (address !== undefined) return `ip:${formatNetwork(masked(address, ipv6Prefix))}`;
  const network = parseNetwork(subject.value);
  if (network?.bytes.length === 16 && network.prefix === ipv6Prefix) return formatSubject(subject);
  throw new RequestError(
    `"${printable(subject.value)}" is a network, and the agent looks up clients: write the address of one, or flush everything`,
  );
}

function nextFor({ mirror, cached }: CachedVerdict, breaker: BackendState['breaker']): Next {
  if (mirror?.isLive) return 'mirror';
  const isFresh = cached !== undefined && cached.freshForSeconds > 0;
  const decides = cached?.action !== undefined;
  if (isFresh && decides) return 'cache';
  if (!isFresh && breaker === 'closed') return 'lookup';
  return mirror !== undefined || (decides && cached.keptForSeconds > 0) ? 'stale' : 'policy';
}

function messagesAbout(
  { kind }: Subject,
  { messages }: Settings,
  breaker: BackendState['breaker'],
): ExplainedMessage[] {
  const reason: Reason = breaker === 'closed' ? 'backend_error' : 'breaker_open';
  return messages
    .filter(({ subjects }) => subjects.some((subject) => subject.kind === kind))
    .map(({ name, policy, shadow }) => {
      const { action, status } = decideByPolicy(policy, reason);
      return {
        message: name,
        onTrial: shadow,
        policy: { reason, action, ...(status === undefined ? {} : { status }) },
      };
    });
}
