import {
  COOKIES,
  FEEDS,
  GRPC,
  HEALTH_CHECKS,
  HOSTS,
  KEYS,
  OBJECTS,
  ROBOTS,
  WEBDAV,
  WEBSOCKETS,
} from './ordinary-senders.ts';
import { ASSETS, CALLS, PAGES } from './ordinary-targets.ts';
import { PLAIN, type RawRequest } from './raw-request.ts';

/** What browsers, programs and machines send all day: nothing of it may be refused. */
export function ordinaryRequests(): RawRequest[] {
  return [
    ...PAGES.map((target, index) => browsed(target, BROWSERS[index % BROWSERS.length] ?? [])),
    ...PAGES.map((target, index) => browsed(target, BROWSERS[(index + 1) % BROWSERS.length] ?? [], 'http/2')),
    ...ASSETS.map((target, index) => asset(target, BROWSERS[index % BROWSERS.length] ?? [])),
    ...ASSETS.map((target) => ({ ...asset(target, BROWSERS[0] ?? []), protocol: 'http/2' as const })),
    ...CALLS.map(([method, target]) => called(method, target)),
    ...CALLS.map(([method, target]) => ({ ...called(method, target), protocol: 'http/2' as const })),
    ...CALLS.map(([method, target]) => preflight(method, target)),
    ...ROBOTS.flatMap((agent) =>
      ['/', '/robots.txt', '/sitemap.xml'].map((target) => sent(target, [`User-Agent: ${agent}`])),
    ),
    ...FEEDS.map((target) =>
      sent(target, ['User-Agent: FreshRSS/1.24', 'If-Modified-Since: Sun, 29 Nov 2026 10:00:00 GMT']),
    ),
    ...WEBSOCKETS.map(upgraded),
    ...GRPC.map(grpc),
    ...HEALTH_CHECKS.map(([version, target, host, agent]) => ({
      ...PLAIN,
      ...{ target, version, headers: [`Host: ${host}`, `User-Agent: ${agent}`] },
    })),
    ...WEBDAV.map(([method, target, depth]) => ({
      ...sent(target, [`Depth: ${depth}`, 'User-Agent: davfs2/1.7.0 neon/0.33.0']),
      method,
    })),
    ...OBJECTS.flatMap((target) => [
      {
        ...sent(target, [
          'Range: bytes=0-1023',
          'x-amz-date: 20261130T000000Z',
          'x-amz-content-sha256: UNSIGNED-PAYLOAD',
        ]),
      },
      { ...sent(target, ['Content-Length: 4', 'Expect: 100-continue']), method: 'PUT', body: 'data' },
      { ...sent(target, []), method: 'HEAD' },
    ]),
    ...COOKIES.flatMap((cookie) =>
      (['http/1', 'http/2'] as const).map((protocol) => ({ ...sent('/account', [`cookie: ${cookie}`]), protocol })),
    ),
    ...KEYS.map((key) => sent('/v1/items?limit=10', [`X-Api-Key: ${key}`, 'Accept: application/json'])),
    ...HOSTS.flatMap((host) => [withHost(host, 'http/1'), withHost(host, 'http/2')]),
    ...HOSTS.filter((host) => !host.endsWith(':')).map((host) => ({
      ...withHost(host, 'http/1'),
      target: `http://${host}/news/today?page=2`,
    })),
  ];
}

const HOST = 'Host: www.shop.example';

function sent(target: string, headers: readonly string[]): RawRequest {
  return { ...PLAIN, target, headers: [HOST, ...headers] };
}

function withHost(host: string, protocol: RawRequest['protocol']): RawRequest {
  return { ...PLAIN, protocol, target: '/news/today?page=2', headers: [`Host: ${host}`, 'Accept: */*'] };
}

const BROWSERS = [
  [
    'User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36',
    'sec-ch-ua: "Chromium";v="143", "Not A(Brand";v="24"',
    'Accept-Language: de-DE,de;q=0.9,en;q=0.8',
  ],
  [
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
    'Accept-Language: en-US,en;q=0.5',
    'DNT: 1',
  ],
  [
    'User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1',
    'Accept-Language: fr-FR,fr;q=0.9',
  ],
] as const;

function browsed(target: string, browser: readonly string[], protocol: RawRequest['protocol'] = 'http/1'): RawRequest {
  const accept = 'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
  const fetched = [
    'Sec-Fetch-Site: none',
    'Sec-Fetch-Mode: navigate',
    'Sec-Fetch-Dest: document',
    'Upgrade-Insecure-Requests: 1',
  ];
  return { ...sent(target, [accept, ...browser, ...fetched, 'Accept-Encoding: gzip, deflate, br, zstd']), protocol };
}

function asset(target: string, browser: readonly string[]): RawRequest {
  return sent(target, [
    'Accept: */*',
    ...browser,
    'Referer: https://www.shop.example/a//b?x=%2F',
    'If-None-Match: W/"5f-18c"',
    'Cookie: theme=dark',
  ]);
}

function called(method: string, target: string): RawRequest {
  const body = method === 'GET' || method === 'HEAD' ? '' : '{"name":"x"}';
  const headers = [
    'Accept: application/json',
    'X-Requested-With: XMLHttpRequest',
    'Origin: https://app.shop.example',
    'Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.x-_x',
  ];
  return {
    ...sent(target, [
      ...headers,
      ...(body === '' ? [] : ['Content-Type: application/json', `Content-Length: ${body.length}`]),
    ]),
    method,
    body,
  };
}

function preflight(method: string, target: string): RawRequest {
  const asked = [
    `Access-Control-Request-Method: ${method}`,
    'Access-Control-Request-Headers: authorization,content-type,x-api-key',
  ];
  return { ...sent(target, ['Origin: https://app.shop.example', ...asked]), method: 'OPTIONS' };
}

function upgraded(target: string): RawRequest {
  return sent(target, [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Origin: https://www.shop.example',
  ]);
}

function grpc(target: string): RawRequest {
  const headers = [
    'content-type: application/grpc',
    'te: trailers',
    'grpc-accept-encoding: identity,gzip',
    'user-agent: grpc-go/1.77.0',
  ];
  return { ...sent(target, headers), method: 'POST', protocol: 'http/2', body: '\0\0\0\0\0' };
}
