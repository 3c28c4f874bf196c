import { describeList } from '../../config/list-settings.ts';
import { formatListenAddress } from '../../config/listen-address.ts';
import type { MessageSettings, Settings } from '../../config/settings.ts';
import type { Policy } from '../../contract/policy.ts';
import type { AgentState } from '../state/state.ts';
import { foreign, type Html, html } from './html.ts';
import { count, moment } from './page-format.ts';
import { listSection } from './page-table.ts';

/** The section with the settings in force that affect decisions. */
export function configuration({ config, listening, workers }: AgentState): Html {
  const { lists, cache, stale } = config;
  return listSection('configuration', 'Configuration in force', [
    [
      'listens on',
      foreign((listening.length > 0 ? listening : config.listen.map(formatListenAddress)).join(', '), 300),
    ],
    ['workers', workers],
    ['deadline', `${config.deadlineMs} ms`],
    ['policy', policyText(config.policy)],
    ['lists', lists.map((name) => describeList(name, config)).join(', ')],
    ...config.messages.map((message) => ['message', messageText(message, config)] as const),
    ['script', config.script === undefined ? 'none' : foreign(config.script)],
    [
      'cached for',
      `allow ${cache.allowTtlSeconds} s, deny ${cache.denyTtlSeconds} s, policy ${cache.policyTtlSeconds} s`,
    ],
    ['stale', `${stale.ifErrorSeconds} s longer while the backend cannot be asked`],
    ['calls', `at most ${config.backend.maxCallsPerSecond} a second, ${config.backend.maxConcurrent} at a time`],
  ]);
}

export function reloads({ reloads, startedAtMs, takenAtMs }: AgentState): Html {
  return listSection('reloads', 'Reloads', [
    ['succeeded', count(reloads.ok)],
    ['failed', count(reloads.failed)],
    ['in force since', html`${moment(reloads.lastOkAtMs ?? startedAtMs, takenAtMs)} UTC`],
    [
      'last error',
      reloads.lastError === undefined
        ? 'none'
        : html`<strong class="bad">▲ ${foreign(reloads.lastError, 400)}</strong>`,
    ],
  ]);
}

function messageText({ name, event, group, subjects, policy, shadow }: MessageSettings, config: Settings): Html {
  const kinds = subjects.map(({ kind }) => kind).join(', ');
  const when = event ?? `group ${group}`;
  const own = policyText(policy) === policyText(config.policy) ? '' : `, policy ${policyText(policy)}`;
  return html`<b>${name}</b> at ${when}: ${kinds}${own}${shadow ? ', in shadow mode' : ''}`;
}

function policyText({ default: usual, ...others }: Policy): string {
  return [usual, ...Object.entries(others).map(([reason, name]) => `${name} on ${reason}`)].join(', ');
}
