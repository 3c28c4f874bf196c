import { parseArgs } from 'node:util';
import { readAssembly } from './assembly.ts';
import { deploy, type LocalCloud, type Profile } from './deploy.ts';
import { synthesized } from './synth.ts';

const HELP = `usage: npm run local -- [--table-port 8000] [--function-port 8787] [--folder DIR] [--assembly DIR]

Runs the stack on this machine as it is synthesized: its table, its function, its URL and its rights.
  --folder    where the entries are kept, so that they outlive a restart
  --assembly  what cdk synth wrote; by default the stack is synthesized with the context of cdk.json`;

await main().catch((error: Error) => {
  console.error(`local cloud: ${error.message}`);
  process.exit(1);
});

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'table-port': { type: 'string', default: '8000' },
      'function-port': { type: 'string', default: '8787' },
      folder: { type: 'string' },
      assembly: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);

  const folder = values.assembly ?? (await synthesized((line) => console.error(`local cloud: ${line}`)));
  const cloud = await deploy(readAssembly(folder), {
    tablePort: Number(values['table-port']),
    functionPort: Number(values['function-port']),
    ...(values.folder !== undefined && { folder: values.folder }),
  });
  console.log(usage(cloud));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cloud.close());
}

function usage(cloud: LocalCloud): string {
  const skipped = cloud.skipped.length > 0 ? `, nor what these stand for: ${cloud.skipped.join(', ')}` : '';
  return `outputs, as cdk deploy prints them:
${Object.entries(cloud.outputs)
  .map(([name, value]) => `  ${name.padEnd(17)} ${value}`)
  .join('\n')}
table at ${cloud.dynamodbEndpoint}

block an address, with an operator's rights:
${exports(cloud, 'operator')}
  npm run --silent haverdict -- block 203.0.113.7 --for 1h --reason abuse

run the agent, with an agent's rights, on a file with the line of AgentConfig:
${exports(cloud, 'agent')}
  npm run --silent haverdict -- agent -c haverdict.yaml

not imitated: TLS, throttling, billing, backups, deletion of expired entries${skipped}
see docs/guides/local-cloud.md

ctrl-C stops it`;
}

function exports(cloud: LocalCloud, profile: Profile): string {
  return Object.entries(cloud.environmentOf(profile))
    .map(([name, value]) => `  export ${name}=${value}`)
    .join('\n');
}
