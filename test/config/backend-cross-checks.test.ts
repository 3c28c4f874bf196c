import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError } from '../../config/config-error.ts';
import { loadSettings } from '../../config/load.ts';
import { configFile } from '../support/config-file.ts';

const AWS = 'abc.lambda-url.eu-central-1.on.aws';
const IRELAND = 'https://def.lambda-url.eu-west-1.on.aws';

describe('a backend in the configuration', () => {
  for (const [backend, says, env = {}] of [
    [
      `url: https://${AWS}`,
      [/:10: backend\.auth: must be set for a function URL: iam to sign calls, or none if https:\S+ is public$/],
    ],
    [`urls: [http://127.0.0.1:1, https://${AWS}]`, [/backend\.auth: must be set for a function URL/]],
    [
      `url: http://${AWS}, auth: iam`,
      [new RegExp(`:17: backend\\.url: must be https, like all function URLs: write https://${AWS}$`)],
    ],
    [`url: http://${AWS}, auth: none`, [/backend\.url: must be https/]],
    [
      `urls: [https://${AWS}, http://ABC.lambda-url.eu-west-1.ON.AWS.], auth: iam`,
      [/backend\.urls\[1\]: must be https/],
    ],
    [
      'url: http://192.0.2.7:80, auth: iam, region: eu-west-1',
      [/backend\.url: must be https if auth is iam and the host is not loopback, since .*: write https:\/\/192/],
    ],
    ['url: http://localhost.example, auth: iam, region: eu-west-1', [/backend\.url: must be https if auth is iam/]],
    [
      'urls: [http://127.0.0.1:1, http://10.0.0.1:1], auth: iam, region: eu-west-1',
      [/backend\.urls\[1\]: must be https/],
    ],
    [
      `url: https://${AWS}, auth: iam, region: us-east-1`,
      [/backend\.region: must be omitted or eu-central-1, since the URL names eu-central-1, got "us-east-1"$/],
    ],
    [
      `urls: [https://${AWS}, ${IRELAND}], auth: iam, region: us-east-1`,
      [/backend\.region: must be omitted or eu-central-1, since the URLs name eu-central-1, eu-west-1/],
    ],
    [
      `url: https://${AWS}, auth: iam`,
      [/^HAVERDICT_BACKEND_REGION: backend\.region: must be omitted/],
      { HAVERDICT_BACKEND_REGION: 'us-east-1' },
    ],
    [`url: https://${AWS}`, [], { HAVERDICT_BACKEND_AUTH: 'iam' }],
    [`url: https://${AWS}, auth: none`, []],
    [`url: https://${AWS}, auth: iam, region: eu-central-1`, []],
    [`url: https://${AWS}, auth: iam`, [], { AWS_REGION: 'us-east-1' }],
    [`urls: [https://${AWS}, ${IRELAND}], auth: iam, region: eu-west-1`, []],
    [`urls: [https://${AWS}, https://own.example], auth: iam, region: us-east-1`, []],
    ['url: http://127.0.0.1:8787, auth: iam, region: us-east-1', []],
    ['url: "http://[::1]:8787", auth: iam, region: us-east-1', []],
    ['url: http://localhost:8787, auth: iam, region: us-east-1', []],
    ['url: http://192.0.2.7:8787', []],
    [`url: https://${AWS}.example`, []],
  ] as const satisfies readonly (readonly [string, readonly RegExp[], NodeJS.ProcessEnv?])[])
    it(`${says.length > 0 ? 'is refused' : 'is taken'}: ${backend} ${Object.entries(env).join()}`, (t) => {
      const lines = linesAbout(configFile(t, `backend: { ${backend} }\n`), env);
      assert.equal(lines.length, says.length, lines.join('\n'));
      for (const [index, pattern] of says.entries()) assert.match(lines[index] ?? '', pattern);
    });
});

function linesAbout(file: string, env: NodeJS.ProcessEnv): string[] {
  try {
    loadSettings(file, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}
