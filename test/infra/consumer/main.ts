import { App } from 'aws-cdk-lib';
import { edgeApp } from './app.ts';

const app = new App();
edgeApp(app);
app.synth();
