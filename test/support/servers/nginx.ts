import { unpackedEnvironment, unpackedPath } from '../../../dev/debian-packages.ts';
import { NGINX } from '../../../dev/test-tools.ts';
import { mark, pathPattern, REACHED, THINGS } from './marks.ts';
import { startWebServer, type WebServer } from './web-server.ts';

/** A real nginx that marks what it serves, in a header and in the body. */
export function startNginx(): Promise<WebServer> {
  return startWebServer({
    name: 'nginx',
    config: configuration,
    command: (folder, file) => [
      unpackedPath(NGINX, 'usr/sbin/nginx'),
      ...['-p', folder, '-c', file, '-e', `${folder}/error.log`],
    ],
    environment: unpackedEnvironment(NGINX),
  });
}

const MARKED = {
  ...Object.fromEntries(
    THINGS.paths.map((path, index) => [`path${index}`, ['uri', pathPattern(path), `path:${path}`]]),
  ),
  method: ['request_method', `^${THINGS.method}$`, `method:${THINGS.method}`],
  cookie: [`cookie_${THINGS.cookie.name}`, `^${THINGS.cookie.value}$`, 'cookie'],
  key: ['http_x_api_key', `^${THINGS.key.value}$`, 'key'],
  header: ['http_x_plan', `^${THINGS.header.value}$`, 'header'],
  ua: ['http_user_agent', `^${THINGS.ua}$`, 'ua'],
  ip: ['remote_addr', `^${THINGS.ip}$`, 'ip'],
} as Record<string, [variable: string, pattern: string, thing: string]>;

function configuration(folder: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const maps = Object.entries(MARKED).map(
    ([name, [variable, pattern, thing]]) =>
      `  map $${variable} $mark_${name} { default ""; "~${pattern}" "${mark(thing)}"; }\n`,
  );
  const marks = Object.keys(MARKED).map((name) => `$mark_${name}`);
  const server = (names: string, hostMark: string) => `  server {
    listen 127.0.0.1:${port}${names.startsWith('ok.') ? ' default_server' : ''};
    server_name ${names};
    set $marks "${REACHED}${hostMark}${marks.join('')}";
    location / { add_header x-served $marks always; return 200 $marks; }
  }
`;
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log crit;
events { worker_connections 512; }
http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path ${folder}/${name};\n`).join('')}  default_type text/plain;
  keepalive_requests 100000;
  large_client_header_buffers 4 32k;
  variables_hash_max_size 4096;
  underscores_in_headers on;
  set_real_ip_from 127.0.0.0/8;
  real_ip_header X-Forwarded-For;
${maps.join('')}${server('ok.example', '')}${THINGS.hosts.map((host) => server(host, mark(`host:${host}`))).join('')}}
`;
}
