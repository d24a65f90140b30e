/** What entries can be chosen by: the options `include` and `exclude`. */
import { z } from 'zod';
import { isFieldName } from '../records/field_names.ts';

/** Syslog's names by number (RFC 5424, section 6.2.1), as `journalctl -p` has them. */
export const PRIORITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

const patterns = z.array(z.string().min(1)).min(1);

const fieldName = z.string().refine(isFieldName, { error: 'must be the name of a journal field, such as _TRANSPORT' });

const PRIORITY_ERROR = `must be one of ${PRIORITIES.join(', ')} (or 0 to 7), or a list of them`;

const priority = z.union([z.enum(PRIORITIES), z.int().min(0).max(7)]).transform((given) => {
  return typeof given === 'string' ? given : PRIORITIES[given]!; // there are eight of them
});

/** `single` says what a priority that is not in a list stands for. */
function criteria(single: string) {
  return z.strictObject({
    units: patterns
      .optional()
      .meta({ examples: [['nginx', 'app-*.service']] })
      .describe('Units, as of `journalctl -u`: what they log, and what systemd logs of them. `*` and `?` stand for any text.'),
    identifiers: patterns
      .optional()
      .meta({ examples: [['sshd', 'cron*']] })
      .describe('Values of SYSLOG_IDENTIFIER. `*` and `?` stand for any text.'),
    priorities: z
      .union([priority, z.array(priority).min(1)], { error: PRIORITY_ERROR })
      .optional()
      .meta({ examples: ['warning'], valueType: 'priority or list of priority' })
      .describe(
        `A priority (emerg, …, debug, or 0 to 7), which stands for itself and all that are ${single}, or a list of priorities.`,
      ),
    matches: z
      .record(fieldName, patterns)
      .optional()
      .meta({ examples: [{ _TRANSPORT: ['kernel', 'audit'] }] })
      .describe('Other journal fields and the values that they may have. `*` and `?` stand for any text.'),
  });
}

export const include = criteria('more urgent');

/** Here a priority stands for those below it: who leaves out `info` does not want to keep `debug`. */
export const exclude = criteria('less urgent');

export type Criteria = z.output<typeof include>;
