import type { ListenAddress } from '../../config/listen-address.ts';
import type { Settings } from '../../config/settings.ts';
import { agentsSection } from '../../spop/haproxy/agents-section.ts';
import { hasNativeSpop, keepsHungAgents } from '../versions.ts';
import { recentTable } from './rules/recent.ts';
import { AGENTS_BACKEND } from './spoe.ts';

const CHROOT = ['# if global has `chroot DIR`: let the agent listen on DIR/PATH, and set haproxy.chroot to DIR'];

/** The backend section through which HAProxy reaches the agents: one server for each address. */
export function agentsBackend(settings: Pick<Settings, 'listen' | 'haproxy' | 'messages'>): string {
  const { chroot, version } = settings.haproxy;
  const addresses = agentAddresses(settings);
  const isUnknownChroot = chroot === undefined && addresses.some(({ type }) => type === 'unix');
  return agentsSection({
    name: AGENTS_BACKEND,
    addresses,
    chroot,
    isNative: hasNativeSpop(version),
    keepsHung: keepsHungAgents(version),
    more: [...(isUnknownChroot ? CHROOT : []), ...recentTable(settings.haproxy, settings.messages)],
  });
}

/** Where HAProxy reaches the agents; without the setting, this agent alone. */
export function agentAddresses({ listen, haproxy }: Pick<Settings, 'listen' | 'haproxy'>): readonly ListenAddress[] {
  return haproxy.servers.length === 0 ? listen : haproxy.servers;
}
