import { z } from 'zod';
import { OWN_KEYWORDS } from './catalogue.ts';
import { ConfigFile } from './schema.ts';

/** The JSON Schema of the configuration file; what it cannot say, such as which settings exclude each other, is left out. */
export function configSchema(): string {
  const schema = z.toJSONSchema(ConfigFile, {
    io: 'input',
    override({ jsonSchema }) {
      // Ours: it tells of what a check in code wants, which editors show.
      const { mustBe } = jsonSchema as { mustBe?: string };
      for (const word of OWN_KEYWORDS) delete jsonSchema[word];
      if (mustBe !== undefined)
        jsonSchema.description = [jsonSchema.description, `Must be ${mustBe}.`].filter((text) => text).join(' ');
    },
  });
  return `${JSON.stringify({ ...schema, title: 'haverdict.yaml' }, null, 2)}\n`;
}
