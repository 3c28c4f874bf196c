import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { examine } from '../../../haproxy/doctor/doctor.ts';
import { readInstallation } from '../../../haproxy/doctor/installation.ts';
import { generated } from './good-files.ts';

const PATH = '/var/lib/haproxy/run/haverdict/agent.sock';
const OURS = `[Socket]\nListenStream=${PATH}\nSocketGroup=haproxy\nSocketMode=0660\n`;
const OF_THE_PACKAGE = '/usr/lib/systemd/system/haverdict.socket';
const OF_THE_OPERATOR = '/etc/systemd/system/haverdict.socket';

describe('the rights of a socket that systemd opens', () => {
  const units: readonly (readonly [what: string, units: Readonly<Record<string, string>>, isRight: boolean])[] = [
    ['no unit, and no group in the configuration', {}, false],
    ['the unit of the package', { [OF_THE_PACKAGE]: OURS }, true],
    ['the same, where /lib is no link', { '/lib/systemd/system/haverdict.socket': OURS }, true],
    ['another group', { [OF_THE_PACKAGE]: OURS.replace('=haproxy', '=adm') }, false],
    ['a group that may only read', { [OF_THE_PACKAGE]: OURS.replace('0660', '0640') }, false],
    ['no mode: all may connect', { [OF_THE_PACKAGE]: OURS.replace('SocketMode=0660\n', '') }, true],
    ['a user instead', { [OF_THE_PACKAGE]: OURS.replace('SocketGroup', 'SocketUser') }, true],
    ['another path', { [OF_THE_PACKAGE]: OURS.replace(PATH, '/run/other.sock') }, false],
    ['the operator has masked it', { [OF_THE_OPERATOR]: '', [OF_THE_PACKAGE]: OURS }, false],
    ['the operator has another', { [OF_THE_OPERATOR]: OURS, [OF_THE_PACKAGE]: '' }, true],
  ];
  for (const [what, texts, isRight] of units)
    it(`${what}: ${isRight ? 'nothing is found' : 'a warning'}`, () => {
      const listen = [{ type: 'unix', path: PATH }] as const;
      const haproxy = { chroot: '/var/lib/haproxy' };
      const { settings, config, spoe } = generated('open', { listen, haproxy });
      const text = config.replace(
        'global\n',
        'global\n    chroot /var/lib/haproxy\n    user haproxy\n    group haproxy\n',
      );
      const read = (path: string) => texts[path] ?? (path.endsWith('.spoe.cfg') ? spoe : undefined);
      const files = { read, isSocket: () => false };
      const found = examine(readInstallation(settings, [{ file: 'haproxy.cfg', text }], files)).map(({ id }) => id);
      assert.deepEqual(found, isRight ? [] : ['socket-rights']);
    });
});
