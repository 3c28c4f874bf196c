import { App } from 'aws-cdk-lib';
import { readAppSettings } from './settings.ts';
import { SettingsError } from './settings-error.ts';
import { HaverdictStack } from './stack.ts';

const app = new App();
try {
  new HaverdictStack(app, readAppSettings(app.node.getAllContext()));
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exit(78); // EX_CONFIG, as the agent does
}
