import type { ListenAddress } from '../../config/listen-address.ts';
import { hasEnvironmentVariable } from '../parse/words.ts';

const LOOPBACK = /^(127\.[\d.]+|::1|localhost)$/;
const ANY = /^(0\.0\.0\.0|[0:]+|)$/;

/** The path of a socket as a `server` or `bind` line names it; undefined for other addresses. */
export function socketPath(address: string): string | undefined {
  if (address.startsWith('unix@')) return address.slice('unix@'.length);
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
  return (
    /^(unix@|abns@|\/)/.test(address) ||
    LOOPBACK.test(
      address
        .replace(/^ipv[46]@/, '')
        .replace(/\]?:\d+$/, '')
        .replace('[', ''),
    )
  );
}

function reaches(host: string, own: string): boolean {
  if (host === own || ANY.test(own)) return true;
  if (own === 'localhost') return LOOPBACK.test(host);
  return /[a-z]/i.test(host) && !host.includes(':') && (host !== 'localhost' || LOOPBACK.test(own));
}
