#!/usr/bin/env node
import { handleOutputErrors } from './exit/output-errors.ts';
import { commandNamed, run } from './program.ts';

handleOutputErrors(commandNamed(process.argv[2] ?? ''));
process.exitCode = await run(process.argv, process.stderr);
