import type { ListenAddress } from '../../config/listen-address.ts';
import { hasEnvironmentVariable } from '../parse/words.ts';

const LOOPBACK = /^(127\.[\d.]+|::1|(ip6-)?localhost[46]?(\.localdomain[46]?)?)$/;
const FAMILY = /^(ipv[46]|tcp[46]?)@/;
const ANY = /^(0\.0\.0\.0|[0:]+|)$/;

/** The path of a socket as a `server` or `bind` line names it; undefined for other addresses. */
export function socketPath(address: string): string | undefined {
  const [, path] = /^(?:unix|uxst)@(.*)$/.exec(address) ?? [];
  if (path !== undefined) return path;
  return address.startsWith('/') ? address : undefined;
}

/** Does a `server` line with this address reach one of these? Whether a name leads there is not known, its port is. */
export function isOwnAddress(address: string, listen: readonly ListenAddress[], chroot = ''): boolean {
  if (hasEnvironmentVariable(address)) return true;
  const path = socketPath(address);
  if (path !== undefined)
    return listen.some((own) => own.type === 'unix' && [path, `${chroot}${path}`].includes(own.path));
  const [, host = '', port = ''] = /^(?:ipv[46]@)?\[?([^\]]*?)\]?:(\d+)$/.exec(address) ?? [];
  return listen.some((own) => own.type === 'tcp' && own.port === Number(port) && reaches(host, own.host));
}

/** Can only this host itself come in at this address of a `bind` line? */
export function isLocal(address: string): boolean {
  return isNamed(address) || LOOPBACK.test(hostAndPort(address).host);
}

/** Where HAProxy makes and looks for the sockets of the file system. */
export interface SocketFolders {
  readonly chroot: string;
  /** `unix-bind prefix` */
  readonly prefix: string;
}

/** Does a `server` line with this address lead to this local address of a `bind` line? */
export function leadsTo(server: string, bind: string, { chroot, prefix }: SocketFolders): boolean {
  const [path, bound] = [socketPath(server), socketPath(bind)];
  if (path !== undefined && bound !== undefined) return [path, `${chroot}${path}`].includes(`${prefix}${bound}`);
  if (isNamed(server) || isNamed(bind)) return server === bind;
  const [to, own] = [hostAndPort(server), hostAndPort(bind)];
  const isSameHost = to.host === own.host || ([to.host, own.host].some(isName) && LOOPBACK.test(to.host));
  if (!isSameHost) return false;
  // without a port, or with an offset, it is that of the client
  if (!/^[1-9]\d*$/.test(to.port)) return true;
  const [first = '', last = first] = own.port.split('-');
  return Number(first) <= Number(to.port) && Number(to.port) <= Number(last);
}

function hostAndPort(address: string): { readonly host: string; readonly port: string } {
  const [, host = '', port = ''] =
    /^\[?(.*?)\]?(?::([-+]?[\d-]*))?$/.exec(address.replace(FAMILY, '').replace('::ffff:', '')) ?? [];
  return { host, port };
}

/** A socket that has a name instead of a host and a port. */
function isNamed(address: string): boolean {
  return /^(unix@|uxst@|abnsz?@|\/)/.test(address);
}

function isName(host: string): boolean {
  return /^[a-z]/i.test(host);
}

function reaches(host: string, own: string): boolean {
  if (host === own || ANY.test(own)) return true;
  if (own === 'localhost') return LOOPBACK.test(host);
  return /[a-z]/i.test(host) && !host.includes(':') && (host !== 'localhost' || LOOPBACK.test(own));
}
