import { Argument, Command } from 'commander';
import { addExamples } from '../help/examples.ts';
import { jsonText } from '../output/json-text.ts';
import { write } from '../output/output.ts';

/** `haverdict contract`: the backend's API as OpenAPI or JSON Schema. */
export function contractCommand(): Command {
  const format = new Argument('[format]', 'OpenAPI 3.1 as YAML, or JSON Schema').choices(['openapi', 'schema']);
  return addExamples(
    new Command('contract')
      .description('print the API contract between the agent and its backend')
      .addArgument(format.default('openapi'))
      .action(async (wanted: string) => (wanted === 'schema' ? printSchema() : printOpenApi())),
    'haverdict contract > contract.openapi.yaml',
    'haverdict contract schema',
  );
}

async function printSchema(): Promise<void> {
  const { contractDocument } = await import('../../contract/json-schema.ts');
  await write(`${jsonText(contractDocument(), 2)}\n`);
}

async function printOpenApi(): Promise<void> {
  const [{ openApiDocument }, { stringify }] = await Promise.all([import('../../contract/openapi.ts'), import('yaml')]);
  process.stdout.write(stringify(openApiDocument(), { lineWidth: 120, aliasDuplicateObjects: false }));
}
