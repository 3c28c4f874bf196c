import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { plural } from '../../cli/output/plural.ts';
import { endOnSignals } from '../interruption.ts';
import { readAssembly } from '../local-cloud/assembly.ts';
import { quoted } from '../quoted.ts';
import { typedOptions } from '../typed-options.ts';
import { functionErrors } from './function-errors.ts';
import { deployStack, type LocalStack, type Profile } from './local-stack.ts';

/** At a fixed place, so that guides can name it: those of the last start. */
const VARIABLES = join(import.meta.dirname, '../../.cache/local');

const HELP = `usage: npm run local -- [--table-port 8000] [--function-port 8787] [--folder DIR] [--assembly DIR]

Runs the CDK stack on this machine: table, function, function URL and permissions.
  --folder    store the entries in this folder, so that they survive a restart
  --assembly  an assembly written by cdk synth (default: synthesized with deploy.yaml, or else deploy.example.yaml)`;

await main().catch((error: Error) => {
  console.error(`local cloud: ${error.message}`);
  process.exit(1);
});

async function main(): Promise<void> {
  const { values, freePorts } = typedOptions('local cloud', {
    'table-port': { type: 'string', default: '8000' },
    'function-port': { type: 'string', default: '8787' },
    folder: { type: 'string' },
    assembly: { type: 'string' },
    help: { type: 'boolean', default: false },
  });
  if (values.help) return console.log(HELP);
  const [tablePort, functionPort] = await freePorts(['table-port', 'function-port'], 0, 'or 0 for any free one');

  endOnSignals();
  rmSync(VARIABLES, { recursive: true, force: true }); // nobody takes those of another stack before this one is there
  const stack = await deployStack({
    ...(values.assembly !== undefined && { assembly: readAssembly(values.assembly) }),
    report: (line) => console.error(`local cloud: ${line}`),
    logged: functionErrors((error) => console.error(`local cloud: function: ${error}`)),
    tablePort,
    functionPort,
    ...(values.folder !== undefined && { folder: values.folder }),
  });
  endOnSignals(() => void stack.close());
  console.log(usage(stack));
  process.on('SIGUSR2', async () => {
    console.log(`deleted ${plural(await stack.deleteExpired(), 'expired item')}`);
  });
}

function usage(stack: LocalStack): string {
  const skipped = stack.skipped.length > 0 ? `, ${stack.skipped.join(', ')}` : '';
  return `Outputs, as cdk deploy prints them:
${Object.entries(stack.outputs)
  .map(([name, value]) => (value.includes('\n') ? `  ${name}\n${value}` : `  ${name.padEnd(17)} ${value}`)) // to paste as it is
  .join('\n')}
DynamoDB at ${stack.dynamodbEndpoint}

Block an address, with the permissions of an operator, from this directory:
  . ${saved(stack, 'operator')}
  npm run --silent haverdict -- block 203.0.113.7 --for 1h --reason abuse

Run the agent, with the permissions of an agent; haverdict.yaml needs the lines of the output AgentConfig:
  . ${saved(stack, 'agent')}
  npm run --silent haverdict -- agent -c haverdict.yaml

Delete what has expired, as DynamoDB does by itself within days: kill -USR2 ${process.pid}

Not imitated: TLS, throttling, billing, backups${skipped}.
See docs/guides/local-cloud.md. Ctrl-C stops it.`;
}

/** Writes the variables of a profile to a file that a shell reads; returns its path. */
function saved(stack: LocalStack, profile: Profile): string {
  const file = join(VARIABLES, `${profile}.env`);
  const lines = Object.entries(stack.environmentOf(profile)).map(
    ([name, value]) => `export ${name}=${quoted(value)}\n`,
  );
  mkdirSync(VARIABLES, { recursive: true });
  writeFileSync(file, lines.join(''));
  return quoted(`./${relative(process.cwd(), file)}`);
}
