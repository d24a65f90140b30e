/** The commands, in the order in which somebody new needs them, which is the order of `sluice --help`. */
import * as check from './check.ts';
import type { CommandModule } from './cli.ts';
import * as config from './config.ts';
import * as deadletter from './deadletter.ts';
import * as demo from './demo.ts';
import * as logx from './logx.ts';
import * as run from './run.ts';
import * as spool from './spool.ts';

export const COMMANDS: readonly CommandModule[] = [demo, config, check, run, spool, deadletter, logx];
