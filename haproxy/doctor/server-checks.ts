import type { ListenAddress } from '../../config/listen-address.ts';
import { agentAddresses } from '../generate/agents-backend.ts';
import { durationMs } from '../parse/duration.ts';
import { lastOf } from '../parse/proxy.ts';
import { hasKeyword, parameterOf, type Server } from '../parse/server.ts';
import { hasEnvironmentVariable } from '../parse/words.ts';
import { addressOf, backendsOf, serversOf } from './agents-checks.ts';
import type { Checks } from './check.ts';
import type { Installation } from './installation.ts';
import { isLocal, isOwnAddress, socketPath } from './server-address.ts';
import { rightsOf } from './socket-unit.ts';

/** After a start HAProxy opens up to one connection per waiting request (seen on 2.4 to 3.5). */
const MIN_SERVER_CONNECTIONS = 20;
/** The default mode of the agent's sockets. */
const DEFAULT_SOCKET_MODE = 0o660;
const MAX_CHECK_INTERVAL_MS = 5000;

/** Is each server the agent, checked, in use, addressed in its protocol, and accessible? */
export const SERVER_CHECKS = {
  'server-unchecked': {
    severity: 'error',
    why: 'while the agent is gone, each request waits for the whole timeout processing; with checks, the server is DOWN and requests do not wait',
    write: '<server> check inter 500ms',
    *find({ engines }) {
      for (const server of serversOf(engines))
        if (!hasKeyword(server, 'check') && parameterOf(server, 'track') === undefined)
          yield {
            place: server.place,
            what: `server ${server.name} is not checked`,
            values: { server: `server ${server.name} ${server.address}` },
          };
    },
  },
  'server-address-differs': {
    severity: 'error',
    why: 'the agent does not listen there: HAProxy asks nothing, or another program',
    write: 'server <name> <address> check',
    *find({ engines, settings, config }) {
      const addresses = [...settings.listen, ...settings.haproxy.servers];
      const own = (address: string) => isOwnAddress(address, addresses, chrootOf(config));
      for (const { servers } of engines)
        for (const { name, address, place } of servers) {
          // an agent on another host has a configuration of its own
          const isRemote = !isLocal(address) && servers.some((server) => own(server.address));
          if (own(address) || isRemote) continue;
          const right = addressOf(agentAddresses(settings), socketPath(address) === undefined ? 'tcp' : 'unix');
          yield { place, what: `the agent does not listen on ${address}`, values: { name, ...right } };
        }
    },
  },
  'check-elsewhere': {
    severity: 'error',
    why: 'the check tests another address than requests use: the server may be UP while the agent is gone, or DOWN while it runs',
    write: 'server <name> <address> check   # without port and addr',
    *find({ engines }) {
      for (const server of serversOf(engines)) {
        const { name, address, place } = server;
        const port = parameterOf(server, 'port');
        const host = parameterOf(server, 'addr');
        const isSame =
          (port === undefined || address.endsWith(`:${port}`)) && (host === undefined || address.includes(host));
        if (!isSame && !hasEnvironmentVariable(address))
          yield { place, what: `server ${name} is checked at ${host ?? ''}:${port ?? ''}`, values: { name, address } };
      }
    },
  },
  'check-slow': {
    severity: 'warning',
    why: 'until the check notices that the agent is gone, each request waits for the whole timeout processing',
    write: 'server <name> <address> check inter 500ms',
    *find({ engines }) {
      for (const server of serversOf(engines)) {
        const ms = durationMs(parameterOf(server, 'inter'));
        if (ms !== undefined && ms > MAX_CHECK_INTERVAL_MS)
          yield {
            place: server.place,
            what: `server ${server.name} is checked every ${ms} ms`,
            values: { name: server.name, address: server.address },
          };
      }
    },
  },
  'server-disabled': {
    severity: 'error',
    why: 'HAProxy never uses a server that is disabled or has weight 0: requests pass unchecked',
    write: 'server <name> <address> check',
    *find({ engines }) {
      for (const { servers } of backendsOf(engines))
        if (servers.length > 0 && servers.every(isOff))
          for (const { name, address, place } of servers)
            yield { place, what: `server ${name} is never used`, values: { name, address } };
    },
  },
  'server-speaks-tls': {
    severity: 'error',
    why: 'the agent does not speak TLS: every connection fails, and requests pass unchecked',
    write: 'server <name> <address> check no-ssl',
    *find({ engines }) {
      for (const server of serversOf(engines))
        if (hasKeyword(server, 'ssl') || hasKeyword(server, 'check-ssl'))
          yield {
            place: server.place,
            what: `server ${server.name} is connected to over TLS`,
            values: { name: server.name, address: server.address },
          };
    },
  },
  'server-sends-proxy': {
    severity: 'error',
    why: 'the agent reads the PROXY line as an invalid frame and closes the connection: requests pass unchecked',
    write: 'server <name> <address> check no-<keyword>',
    *find({ engines }) {
      for (const server of serversOf(engines))
        for (const keyword of ['send-proxy', 'send-proxy-v2', 'check-send-proxy'])
          if (hasKeyword(server, keyword))
            yield {
              place: server.place,
              what: `server ${server.name} is sent the PROXY protocol`,
              values: { name: server.name, address: server.address, keyword },
            };
    },
  },
  'server-maxconn-low': {
    severity: 'warning',
    why: 'after a start HAProxy opens a connection for each waiting request; those above maxconn queue until timeout processing',
    write: 'server <name> <address> check   # without maxconn',
    *find({ engines }) {
      for (const server of serversOf(engines)) {
        const maxconn = Number(parameterOf(server, 'maxconn') ?? 0);
        if (maxconn > 0 && maxconn < MIN_SERVER_CONNECTIONS)
          yield {
            place: server.place,
            what: `server ${server.name} has maxconn ${maxconn}`,
            values: { name: server.name, address: server.address },
          };
      }
    },
  },
  'chroot-hides-socket': {
    severity: 'error',
    why: 'HAProxy looks for the path inside its chroot and does not find it: requests pass unchecked',
    write: 'listen: [{ unix: <chroot><path> }]   # in the configuration of the agent; the server line stays',
    *find({ engines, settings, config, files }) {
      const chroot = chrootOf(config);
      for (const { address, place } of chroot === '' || chroot === AUTO ? [] : serversOf(engines)) {
        const path = socketPath(address);
        const listensAt = (at: string) => settings.listen.some((own) => own.type === 'unix' && own.path === at);
        if (
          path === undefined ||
          !listensAt(path) ||
          listensAt(`${chroot}${path}`) ||
          files.isSocket(`${chroot}${path}`)
        )
          continue;
        yield {
          place,
          what: `${path} is ${chroot}${path} to HAProxy, the agent listens on ${path}`,
          values: { chroot, path },
        };
      }
    },
  },
  'chroot-without-socket': {
    severity: 'error',
    why: 'chroot auto is a new, empty and read-only folder: no socket of the file system can be there, and requests pass unchecked',
    write:
      'chroot <chroot>   # and haproxy.chroot and listen of the agent in that folder; or listen: [tcp://127.0.0.1:9000]',
    *find({ engines, config }) {
      const line = lastOf(config.global, 'chroot');
      if (line === undefined || chrootOf(config) !== AUTO) return;
      const server = serversOf(engines).find(({ address }) => socketPath(address) !== undefined);
      if (server !== undefined)
        yield {
          place: line.place,
          what: `server ${server.name} is at ${server.address}`,
          values: { chroot: '/var/lib/haproxy' },
        };
    },
  },
  'socket-rights': {
    severity: 'warning',
    why: 'HAProxy needs write permission on the socket to connect; without it requests pass unchecked, and haproxy -c does not warn',
    write: 'listen: [{ unix: <path>, mode: "0660", group: <group> }]   # in the configuration of the agent',
    *find({ engines, settings, config, files }) {
      const user = lastOf(config.global, 'user')?.words[1];
      const group = lastOf(config.global, 'group')?.words[1] ?? user;
      for (const { address, place } of user === undefined ? [] : serversOf(engines)) {
        const path = socketPath(address);
        const socket = settings.listen.find(
          (own) => own.type === 'unix' && isOwnAddress(address, [own], chrootOf(config)),
        );
        if (path === undefined || socket?.type !== 'unix') continue;
        if (mayWrite(rightsOf(socket, files.read), user ?? '', group ?? '')) continue;
        yield {
          place,
          what: `user ${user}, group ${group} has no write permission on ${socket.path}`,
          values: { path: socket.path, group: group ?? '' },
        };
      }
    },
  },
} satisfies Checks;

/** HAProxy makes the folder itself (3.4 and later). */
const AUTO = 'auto';

function isOff(server: Server): boolean {
  return hasKeyword(server, 'disabled') || parameterOf(server, 'weight') === '0';
}

function mayWrite(
  { mode = DEFAULT_SOCKET_MODE, owner, group: own }: ListenAddress & { type: 'unix' },
  user: string,
  group: string,
): boolean {
  if ((mode & 0o002) !== 0 || user === 'root' || user === '0') return true;
  return (owner === user && (mode & 0o200) !== 0) || (own === group && (mode & 0o020) !== 0);
}

/** Empty without one, and where it is not known. */
export function chrootOf({ global }: Installation['config']): string {
  const path = lastOf(global, 'chroot')?.words[1] ?? '';
  return hasEnvironmentVariable(path) ? '' : path.replace(/\/+$/, '');
}
