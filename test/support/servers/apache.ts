import { chmodSync } from 'node:fs';
import { unpackedEnvironment, unpackedPath } from '../../../dev/debian-packages.ts';
import { APACHE } from '../../../dev/test-tools.ts';
import { mark, pathPattern, REACHED, THINGS } from './marks.ts';
import { startWebServer, type WebServer } from './web-server.ts';

const MODULES = ['mpm_event', 'authz_core', 'headers', 'remoteip'];

/** A real Apache that marks what it serves, in a header. */
export function startApache(): Promise<WebServer> {
  return startWebServer({
    name: 'apache',
    config: configuration,
    command: (_folder, file) => [unpackedPath(APACHE, 'usr/sbin/apache2'), '-DFOREGROUND', '-f', file],
    environment: unpackedEnvironment(APACHE),
  });
}

function configuration(folder: string, port: number): string {
  chmodSync(folder, 0o755); // as root it becomes another user
  const { cookie, key, header } = THINGS;
  const tests: readonly (readonly [thing: string, test: string])[] = [
    [`method:${THINGS.method}`, `%{REQUEST_METHOD} == '${THINGS.method}'`],
    ['cookie', `%{HTTP_COOKIE} =~ /(^|;) *${cookie.name}=${cookie.value} *(;|$)/`],
    ['key', `%{HTTP:${key.name}} == '${key.value}'`],
    ['header', `%{HTTP:${header.name}} == '${header.value}'`],
    ['ua', `%{HTTP_USER_AGENT} == '${THINGS.ua}'`],
    ['ip', `%{REMOTE_ADDR} == '${THINGS.ip}'`],
  ];
  const hosts = ['ok.example', ...THINGS.hosts].map((host, index) => {
    const own = index === 0 ? '' : `\n  Header always add x-served "${mark(`host:${host}`)}"`;
    return `<VirtualHost *:*>\n  ServerName ${index}.invalid\n  ServerAlias ${host}${own}\n</VirtualHost>\n`;
  });
  return `ServerRoot ${folder}
${MODULES.map((name) => `LoadModule ${name}_module ${unpackedPath(APACHE, `usr/lib/apache2/modules/mod_${name}.so`)}\n`).join('')}Listen 127.0.0.1:${port}
ServerName ok.example
User nobody
Group nogroup
PidFile ${folder}/apache.pid
ErrorLog ${folder}/error.log
LogLevel crit
DocumentRoot ${folder}
DefaultRuntimeDir ${folder}
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
LimitRequestLine 32000
LimitRequestFieldSize 32000
AllowEncodedSlashes On
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy 127.0.0.0/8
Header always add x-served "${REACHED}"
${tests.map(([thing, test]) => `Header always add x-served "${mark(thing)}" "expr=${test}"\n`).join('')}${THINGS.paths.map((path) => `<LocationMatch "${pathPattern(path)}">\n  Header always add x-served "${mark(`path:${path.replaceAll('%', '%%')}`)}"\n</LocationMatch>\n`).join('')}${hosts.join('')}`;
}
