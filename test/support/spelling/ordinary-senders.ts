/** Who else asks, and what they send: robots, machines, and browsers with cookies and keys. */

export const ROBOTS = [
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

export const FEEDS = [
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
export const WEBSOCKETS = [
  '/ws',
  '/socket.io/?EIO=4&transport=websocket',
  '/cable',
  '/live/websocket?vsn=2.0.0',
  '/_next/webpack-hmr',
  '/signalr/connect?id=a',
  '/mqtt',
  '/hub?token=x.y-z',
];
export const GRPC = [
  '/grpc.health.v1.Health/Check',
  '/shop.v1.StartMessage/Get',
  '/shop.v1.StartMessage/List',
  '/google.pubsub.v1.Publisher/Publish',
  '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
];

export const HEALTH_CHECKS: readonly (readonly [version: string, target: string, host: string, agent: string])[] = [
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

export const WEBDAV: readonly (readonly [method: string, target: string, depth: string])[] = [
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

export const OBJECTS = [
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

export const COOKIES = [
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

export const KEYS = [
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

export const HOSTS = [
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
