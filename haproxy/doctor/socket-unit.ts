import type { ListenAddress } from '../../config/listen-address.ts';

type UnixAddress = Extract<ListenAddress, { type: 'unix' }>;

/** Where the unit can be; one in /etc replaces that of the package, and is empty if the unit is masked. */
const UNITS = ['etc', 'usr/lib', 'lib'].map((folder) => `/${folder}/systemd/system/haverdict.socket`);
/** `SocketMode` where the unit has none. */
const USUAL_MODE = '0666';

/** The rights of a socket of the agent: those of haverdict.socket if systemd opens it, since the agent leaves these. */
export function rightsOf(socket: UnixAddress, read: (path: string) => string | undefined): UnixAddress {
  const unit = UNITS.map(read).find((text) => text !== undefined) ?? '';
  if (!valuesOf(unit, 'ListenStream').includes(socket.path)) return socket;
  const [owner = 'root'] = valuesOf(unit, 'SocketUser');
  const [group = owner] = valuesOf(unit, 'SocketGroup');
  const [mode = USUAL_MODE] = valuesOf(unit, 'SocketMode');
  return { ...socket, owner, group, mode: Number.parseInt(mode, 8) };
}

function valuesOf(unit: string, name: string): string[] {
  return [...unit.matchAll(/^(\w+)=(.*)$/gm)].filter(([, key]) => key === name).map(([, , value = '']) => value.trim());
}
