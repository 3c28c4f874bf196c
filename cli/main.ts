#!/usr/bin/env node
import { watchOutput } from './exit/lost-output.ts';
import { run } from './program.ts';

watchOutput(process.argv[2] ?? '');
process.exitCode = await run(process.argv, process.stderr);
