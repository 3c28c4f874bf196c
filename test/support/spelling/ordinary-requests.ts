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

const PAGES = [
  ...[
    '/',
    '/?',
    '/index.html',
    '/about',
    '/about/',
    '/products',
    '/products?page=2&sort=price',
    '/products/blue-shoes_42.html',
    '/p/12345',
  ],
  ...[
    '/search?q=caf%C3%A9+au+lait',
    '/search?q=a%2Fb%3Bc',
    '/search?q=../../x',
    '/search?q=%3Cb%3E&x=//y;z',
    '/suche/gr%C3%BC%C3%9Fe',
  ],
  ...[
    '/wiki/Caf%C3%A9_(disambiguation)',
    "/wiki/Schr%C3%B6dinger's_cat",
    '/wiki/C%2B%2B',
    '/wiki/AC%26DC',
    '/wiki/100%25',
    '/wiki/What%3F',
  ],
  ...[
    '/%E6%97%A5%E6%9C%AC%E8%AA%9E/%E3%83%9A%E3%83%BC%E3%82%B8',
    '/%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82',
    '/%F0%9F%98%80',
    '/caf%E9',
  ],
  ...[
    '/~user/',
    '/~user/notes.txt',
    '/%7Euser/',
    '/a//b',
    '/a///b/',
    '/blog//2026//11/',
    '/2026/11/30/a-title-with-dashes',
    '/tag/c%23',
    '/a%20b',
  ],
  ...[
    '/a+b',
    '/a,b',
    '/a:b',
    '/@user',
    '/@user/post',
    '/!/x',
    '/$/x',
    '/x=1&y=2',
    '/(group)/page',
    '/a*b',
    "/it's",
    '/a|b',
    '/x[1]',
    '/x%5B1%5D',
  ],
  ...[
    '/...',
    '/.../x',
    '/..x',
    '/x..',
    '/.hidden',
    '/x.',
    '/x./y',
    '/v1.2.3/',
    '/.well-known/security.txt',
    '/.well-known/acme-challenge/x_-Y',
  ],
  ...[
    '/.well-known/openid-configuration',
    '/.well-known/apple-app-site-association',
    '/.well-known/assetlinks.json',
    '/.well-known/webfinger?resource=acct:a@b.example',
  ],
  ...[
    '/wp-login.php',
    '/wp-admin/admin-ajax.php?action=x',
    '/wp-content/uploads/2026/11/a-1024x768.jpg',
    '/wp-json/wp/v2/posts?_embed&per_page=10',
  ],
  ...[
    '/index.php',
    '/index.php/a/b',
    '/index.php?route=product/product&product_id=40',
    '/node/7',
    '/user/login?destination=/node/7',
    '/typo3/',
    '/phpmyadmin/',
  ],
  ...[
    '/_next/data/build-id/en/index.json',
    '/users/sign_in',
    '/users/1/edit',
    '/rails/active_storage/blobs/redirect/eyJfcmFp--abc/x.png',
    '/admin/',
    '/login',
  ],
  ...[
    '/oauth/callback?code=4%2F0AX4&state=a%3Db%3B',
    '/auth/callback?error=access_denied',
    '/oauth2/authorize?redirect_uri=https%3A%2F%2Fapp.example%2Fcb',
  ],
  ...[
    '/saml/acs?RelayState=https%3A%2F%2Fx',
    '/unsubscribe?e=a%40b.example',
    '/track?u=https://x.example/a;b',
    '/redirect?to=//x.example',
    '/r?x=%00',
  ],
  ...[
    '/user%40mail.example',
    '/a%3Ab',
    '/a%2Cb',
    '/a%3Db',
    '/a%26b',
    '/a%2Bb',
    '/%22quoted%22',
    '/a%27b',
    '/%28x%29',
    '/x%21',
    '/%24',
    '/a%2Ab',
    '/%7B%7D',
    '/%5E%60%7C',
  ],
  ...[
    '/cgi-bin/x.cgi',
    '/x.asp',
    '/x.aspx?ID=7',
    '/x.jsp',
    '/servlet/x',
    '/struts.action',
    '/default.htm',
    '/RSS',
    '/UPPER/Case',
    '/1',
    '/-',
    '/_',
  ],
  `/${'long-'.repeat(150)}x`,
  `/${'deep/'.repeat(40)}`,
  `/x?${'q=1&'.repeat(400)}`,
];

const ASSETS = [
  ...[
    '/favicon.ico',
    '/apple-touch-icon.png',
    '/manifest.webmanifest',
    '/sw.js',
    '/assets/app-4f3a2b1c.js',
    '/assets/app.css?v=1.2.3',
    '/fonts/a.woff2',
  ],
  ...[
    '/_next/static/chunks/app/%5Bslug%5D/page-1a2b.js',
    '/_next/static/chunks/app/[slug]/page.js',
    '/_next/image?url=%2Fa.png&w=640&q=75',
    '/@vite/client',
  ],
  ...[
    '/node_modules/.vite/deps/vue.js?v=3',
    '/@fs/home/x/y.ts',
    '/img/a%20b.png',
    '/img/a@2x.png',
    '/img/%C3%BC.svg',
    '/media/a_b-c.mp4',
    '/x.js.map',
    '/x.min.js',
  ],
  ...[
    '/a/b/c/d.tar.gz',
    '/packs/js/application-0123456789abcdef.js',
    '/static/%28a%29/x.png',
    '/files/Report%20(final)%20v2.pdf',
    '/dl/x+y.zip',
    '/hls/720p/seg-00001.ts',
  ],
];

const CALLS: readonly (readonly [method: string, target: string])[] = [
  ['GET', '/api/v1/users?filter[name]=x&fields=a,b'],
  ['GET', '/api/v1/users/550e8400-e29b-41d4-a716-446655440000'],
  ['POST', '/api/v1/users'],
  ['PUT', '/api/v1/users/7'],
  ['PATCH', '/api/v1/users/7'],
  ['DELETE', '/api/v1/users/7'],
  ['GET', '/api/v1/users/a%40b.example/orders'],
  ['GET', '/api/v1/search?q=%7B%22a%22%3A%5B1%2C2%5D%7D'],
  ['POST', '/graphql'],
  ['GET', '/graphql?query=%7Bme%7Bid%7D%7D&variables=%7B%7D'],
  ['GET', "/odata/Products('A%20B')?$filter=Price%20gt%2010"],
  ['GET', '/odata/Products(Id=7)/$value'],
  ['POST', '/v1/projects/p/topics/t:publish'],
  ['GET', '/v1/items/urn:isbn:0451450523'],
  ['POST', '/rpc/User.Get'],
  ['POST', '/jsonrpc'],
  ['GET', '/api/items?ids=1&ids=2&after=2026-11-30T00:00:00+01:00'],
  ['GET', '/api/x/eyJhIjoxfQ==/y'],
  ['POST', '/webhooks/stripe'],
  ['GET', '/api/v2/regions/eu-central-1/metrics.json'],
  ['POST', '/collect?v=2&tid=G-XX&_p=1&dl=https%3A%2F%2Fx%2F'],
];

const ROBOTS = [
  ...[
    'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
  ],
  ...[
    'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
    'curl/8.16.0',
    'Wget/1.25.0',
    'python-requests/2.32.5',
    'Go-http-client/1.1',
  ],
  ...[
    'okhttp/5.1.0',
    'Apache-HttpClient/5.5 (Java/25)',
    'axios/1.13.2',
    'node',
    'Twitterbot/1.0',
    'PostmanRuntime/7.49.0',
    'Mozilla/5.0 (compatible; AhrefsBot/7.0)',
  ],
];

const FEEDS = [
  '/feed',
  '/feed/',
  '/rss.xml',
  '/atom.xml',
  '/feed.json',
  '/feed?format=atom',
  '/podcast.xml',
  '/category/a/feed/',
  '/index.php?feed=rss2',
  '/blog/index.rdf',
];
const WEBSOCKETS = [
  '/ws',
  '/socket.io/?EIO=4&transport=websocket',
  '/cable',
  '/live/websocket?vsn=2.0.0',
  '/_next/webpack-hmr',
  '/signalr/connect?id=a',
  '/mqtt',
  '/hub?token=x.y-z',
];
const GRPC = [
  '/grpc.health.v1.Health/Check',
  '/shop.v1.Orders/Get',
  '/shop.v1.Orders/List',
  '/google.pubsub.v1.Publisher/Publish',
  '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
];

const HEALTH_CHECKS: readonly (readonly [version: string, target: string, host: string, agent: string])[] = [
  ['1.1', '/healthz', '10.0.3.7:8080', 'kube-probe/1.34'],
  ['1.1', '/readyz?verbose', '10.0.3.7:8080', 'kube-probe/1.34'],
  ['1.1', '/', '10.0.3.7', 'ELB-HealthChecker/2.0'],
  ['1.1', '/health', '[2001:db8::7]:80', 'GoogleHC/1.0'],
  ['1.1', '/status', 'www.shop.example', 'Amazon CloudFront'],
  ['1.1', '/ping', 'www.shop.example', 'fasthealthcheck'],
  ['1.1', '/cdn-cgi/trace', 'www.shop.example', 'Cloudflare-Healthchecks/1.0'],
  ['1.1', '/up', 'www.shop.example:443', 'Consul Health Check'],
  ['1.0', '/health', 'localhost', 'HAProxy'],
  ['1.0', '/', 'www.shop.example', 'ApacheBench/2.3'],
  ['1.0', '/server-status?auto', '127.0.0.1:8080', 'collectd'],
  ['1.1', '/metrics', 'node_1.internal:9100', 'Prometheus/3.7.3'],
];

const WEBDAV: readonly (readonly [method: string, target: string, depth: string])[] = [
  ['PROPFIND', '/remote.php/dav/files/user/', '1'],
  ['PROPFIND', '/dav/a%20folder/', '0'],
  ['REPORT', '/calendars/user%40shop.example/home/', '1'],
  ['MKCOL', '/dav/new', '0'],
  ['MKCALENDAR', '/calendars/user/new/', '0'],
  ['PROPPATCH', '/dav/x.txt', '0'],
  ['COPY', '/dav/x.txt', 'infinity'],
  ['MOVE', '/dav/x.txt', 'infinity'],
  ['LOCK', '/dav/x.txt', '0'],
  ['UNLOCK', '/dav/x.txt', '0'],
  ['SEARCH', '/dav/', '1'],
];

const OBJECTS = [
  ...[
    '/bucket/photos/2026/a%20b.jpg',
    '/bucket/a+b.txt',
    '/bucket/key%3Dvalue/part-0000.parquet',
    '/bucket/%E2%9C%93.txt',
    '/bucket/a%2Bb',
    '/bucket/x~y',
    '/bucket/a//b',
  ],
  ...[
    '/bucket/x?X-Amz-Credential=A%2F20261130%2Feu%2Fs3%2Faws4_request&X-Amz-Signature=ab',
    '/bucket/?list-type=2&prefix=a%2Fb&delimiter=/',
    '/v2/library/alpine/blobs/sha256:0a1b',
  ],
];

const COOKIES = [
  ...[
    'session=abc123',
    'a=b; session=abc123; c=d',
    'session=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x-_x',
    'session=YWJj+/==',
    'session="abc123"',
    'session=',
  ],
  ...[
    'session={"id":7,"roles":["a","b"]}',
    'session=%7B%22id%22%3A7%7D',
    'session=s%3Aabc.def%2Fghi',
    'session=a|b|c',
    'session=a:b:c',
    'session=1:2,3',
    'prefs={"a":"b, c"}; session=x',
  ],
  ...[
    '_ga=GA1.2.1.1; _gid=GA1.2.2.2; session=x',
    'session=a; session=b',
    'theme=dark',
    "x='quoted'; session=x",
    'messages="a\\054b"; session=x',
    'PHPSESSID=abc; session=x',
    'session=caf\xc3\xa9',
  ],
  'x="a b"; session=x',
];

const KEYS = [
  'abc123',
  'sk_live_51H8x',
  'a.b-c_d~e',
  'YWJj+/==',
  '0123456789abcdef0123456789abcdef',
  '{550e8400-e29b-41d4-a716-446655440000}',
  'a:b',
  'a b',
  '"quoted"',
  'x,y',
  `${'k'.repeat(2000)}`,
];

const HOSTS = [
  ...[
    'shop.example',
    'WWW.Shop.Example',
    'shop.example.',
    'shop.example:8080',
    'shop.example:',
    'localhost',
    'localhost:3000',
    '192.0.2.1',
    '192.0.2.1:81',
    '[2001:db8::1]',
  ],
  ...[
    '[2001:db8::1]:8443',
    'xn--gre-6ka8l.example',
    'a_b.shop.example',
    'a-b.c-d.example',
    '7.example',
    'x',
    'node-1',
    'a.b.c.d.e.f.shop.example',
    'bucket.s3.eu-central-1.amazonaws.example',
  ],
];
