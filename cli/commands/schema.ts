import { Command } from 'commander';
import { addExamples } from '../help/examples.ts';

/** `haverdict schema`: prints the JSON Schema with which editors check and complete a configuration file. */
export function schemaCommand(): Command {
  const command = new Command('schema')
    .description('print the JSON Schema of the configuration file, for editors')
    .action(async () => {
      const { configSchema } = await import('../../config/json-schema.ts');
      process.stdout.write(configSchema());
    });
  return addExamples(command, 'haverdict schema > haverdict.schema.json');
}
