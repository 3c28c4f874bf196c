import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAllowedHost } from '../../../agent/admin/allowed-host.ts';

const OURS = ['localhost', 'LOCALHOST:1', '127.0.0.1', '127.1.2.3:9', '[::1]', '[::1]:9', '[0:0:0:0:0:0:0:1]'];
const ADDRESS = ['192.0.2.1', '192.0.2.1:9101'];
const CONFIGURED = ['haproxy-1.example', 'HAPROXY-1.EXAMPLE:9101', '[2001:DB8:0::1]:80', '198.51.100.7'];
const STRANGERS = [
  ...[
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'localhost#.evil.example',
    'localhost@evil.example',
  ],
  ...['localhost:evil', 'localhost.', '0.0.0.0', '127.1', '2130706433', '0x7f000001', '[::ffff:127.0.0.1]', '[::]', ''],
  ...[
    '192.0.2.2',
    '[2001:db8::2]',
    '[2001:db8::1',
    'xhaproxy-1.example',
    'haproxy-1.example.evil.example',
    ' localhost',
  ],
  ...['localhost, evil.example', 'haproxy-1.example:9101:80', 'user@haproxy-1.example', '__proto__', '[localhost]'],
];
const SETTING = ['haproxy-1.example', '[2001:db8::1]', '198.51.100.7'];

describe('the host of a request', () => {
  for (const cameTo of ['192.0.2.1', '::ffff:192.0.2.1'])
    it(`is this machine's, the address that it came to (${cameTo}), or configured`, () => {
      for (const host of [...OURS, ...ADDRESS, ...CONFIGURED]) assert.ok(isAllowedHost(host, cameTo, SETTING), host);
      for (const host of STRANGERS) assert.ok(!isAllowedHost(host, cameTo, SETTING), host);
    });

  it('is not another spelling of the address that it came to', () => {
    for (const host of ['[::ffff:127.0.0.1]', '127.1', '2130706433', '[::ffff:7f00:1]'])
      assert.ok(!isAllowedHost(host, '127.0.0.1', []), host);
  });

  it('is this machine’s or configured where it came to a unix socket', () => {
    for (const host of [...OURS, ...CONFIGURED]) assert.ok(isAllowedHost(host, undefined, SETTING), host);
    for (const host of [...STRANGERS, ...ADDRESS]) assert.ok(!isAllowedHost(host, undefined, SETTING), host);
    for (const host of CONFIGURED) assert.ok(!isAllowedHost(host, undefined, []), host);
  });
});
