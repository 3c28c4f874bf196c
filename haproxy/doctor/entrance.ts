import { lastOf, type ProxySection } from '../parse/proxy.ts';
import { readServers } from '../parse/server.ts';
import type { Installation } from './installation.ts';
import { isDynamic, targetsOf } from './passage.ts';
import { isLocal, leadsTo } from './server-address.ts';
import { chrootOf } from './server-checks.ts';

/**
 * Whether more than programs of this host get in here unchecked: by a `bind` line, or by a `server` line of the same files
 * that leads there, such as one in mode tcp. Of a section with the filter nothing unchecked comes.
 */
export function isEntrance(proxy: ProxySection, installation: Installation): boolean {
  const { config, filters } = installation;
  if (proxy.lines.findLast(({ words }) => /^(en|dis)abled$/.test(words[0] ?? ''))?.words[0] === 'disabled')
    return false;
  const binds = proxy.lines
    .filter(({ words }) => words[0] === 'bind')
    .flatMap(({ words }) => (words[1] ?? '').split(','));
  if (!binds.every(isLocal)) return true;
  const folders = { chroot: chrootOf(config), prefix: socketPrefix(installation) };
  const leading = config.proxies.filter(({ lines }) =>
    readServers(lines).some(({ address }) => binds.some((bind) => leadsTo(address, bind, folders))),
  );
  const isChecked = (other: ProxySection) =>
    filters.some((filter) => filter.proxy === other && other.mode === proxy.mode);
  return config.proxies.some(
    (other) => other !== proxy && !isChecked(other) && leading.some((section) => comesTo(other, section)),
  );
}

/** Whether what comes into the one is sent on by the other. */
function comesTo(proxy: ProxySection, section: ProxySection): boolean {
  if (proxy.kind === 'backend') return false;
  return proxy === section || isDynamic(proxy) || targetsOf(proxy).includes(section.name);
}

function socketPrefix({ config }: Installation): string {
  const words = lastOf(config.global, 'unix-bind')?.words ?? [];
  return words.includes('prefix') ? (words[words.indexOf('prefix') + 1] ?? '') : '';
}
