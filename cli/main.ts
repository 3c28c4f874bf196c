#!/usr/bin/env node
import { handleOutputErrors } from './exit/output-errors.ts';
import { run } from './program.ts';

handleOutputErrors(process.argv[2] ?? '');
process.exitCode = await run(process.argv, process.stderr);
