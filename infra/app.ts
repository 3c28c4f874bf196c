import { App } from 'aws-cdk-lib';
import { ConfigError } from '../config/config-error.ts';
import { readDeployment, refuseContext, SETTINGS_FILE } from './deployment/settings.ts';
import { HaverdictStack } from './stack.ts';

const app = new App();
try {
  refuseContext(app.node.getAllContext());
  new HaverdictStack(app, readDeployment(process.env.DEPLOYMENT_SETTINGS ?? SETTINGS_FILE).settings);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exit(78); // EX_CONFIG, as the agent does
}
