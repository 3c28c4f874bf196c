import { posix } from 'node:path';
import { formatAddress, parseAddress } from '../contract/address.ts';
import { type Finding, formatPath } from './findings.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';
import type { Settings } from './settings.ts';

/** An address or a file that the agent would open. */
interface Place {
  readonly path: readonly PropertyKey[];
  readonly address: ListenAddress;
}

const ANY = 'any';

/** Reports the later of two addresses or files that cannot both be opened. `resolve` makes spellings of one path equal. */
export function bindConflicts(
  { listen, admin, cache, updates }: Pick<Settings, 'listen' | 'admin' | 'cache' | 'updates'>,
  resolve: (path: string) => string = posix.normalize,
): Finding[] {
  const file = (path: readonly PropertyKey[], name: string | undefined): Place[] =>
    name === undefined ? [] : [{ path, address: { type: 'unix', path: name } }];
  const places: Place[] = [
    ...listen.map((address, index) => ({ path: ['listen', index], address })),
    ...(admin.listen === undefined ? [] : [{ path: ['admin', 'listen'], address: admin.listen }]),
    ...file(['admin', 'socket'], admin.socket),
    ...file(['cache', 'file'], cache.file),
    ...file(['updates', 'file'], updates.file),
  ];
  return places.flatMap((place, index) => {
    const other = places.slice(0, index).find(({ address }) => collide(address, place.address, resolve));
    return other === undefined ? [] : [taken(place, other)];
  });
}

function taken({ path, address }: Place, other: Place): Finding {
  const message = `must differ from ${formatPath(other.path)}: ${display(address)} and ${display(other.address)} cannot both be opened`;
  return { path, part: 'value', message };
}

function display(address: ListenAddress): string {
  return address.type === 'unix' ? address.path : formatListenAddress(address);
}

function collide(one: ListenAddress, other: ListenAddress, resolve: (path: string) => string): boolean {
  if (one.type === 'unix' || other.type === 'unix')
    return (
      one.type === other.type &&
      one.type === 'unix' &&
      other.type === 'unix' &&
      resolve(one.path) === resolve(other.path)
    );
  if (one.port !== other.port || one.port === 0) return false; // 0 means any free port
  const hosts = bindsOf(one.host);
  return bindsOf(other.host).some(([family, host]) =>
    hosts.some(([ownFamily, own]) => family === ownFamily && (host === own || host === ANY || own === ANY)),
  );
}

type Bind = readonly [family: 4 | 6, host: string];

/** What listening on a host occupies: `::` covers both families, and a name may be of either. */
function bindsOf(host: string): readonly Bind[] {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (name === 'localhost')
    return [
      [4, '127.0.0.1'],
      [6, '::1'],
    ];
  const bytes = parseAddress(shortForm(name));
  if (bytes === undefined)
    return [
      [4, name],
      [6, name],
    ];
  if (bytes.length === 4) return [[4, bytes.every((byte) => byte === 0) ? ANY : formatAddress(bytes)]];
  return bytes.every((byte) => byte === 0)
    ? [
        [4, ANY],
        [6, ANY],
      ]
    : [[6, formatAddress(bytes)]];
}

/** The system reads `127.1` as 127.0.0.1, and so do URLs. */
function shortForm(host: string): string {
  return host.includes(':') ? host : (URL.parse(`http://${host}`)?.hostname ?? host);
}
