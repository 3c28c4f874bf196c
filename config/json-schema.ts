import { z } from 'zod';
import { OWN_KEYWORDS } from './catalogue.ts';
import { ConfigFile } from './schema.ts';

/** The JSON Schema of the configuration file, without what it cannot express, such as settings that exclude each other. */
export function configSchema(): string {
  const schema = z.toJSONSchema(ConfigFile, {
    io: 'input',
    override({ jsonSchema }) {
      // our own keyword: editors show what a check in code requires
      const { mustBe } = jsonSchema as { mustBe?: string };
      for (const word of OWN_KEYWORDS) delete jsonSchema[word];
      if (mustBe !== undefined)
        jsonSchema.description = [jsonSchema.description, `Must be ${mustBe}.`].filter((text) => text).join(' ');
    },
  });
  return `${JSON.stringify({ ...schema, title: 'haverdict.yaml' }, null, 2)}\n`;
}
