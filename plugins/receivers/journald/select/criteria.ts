/** What entries can be chosen by: the options `include` and `exclude`. */
import { z } from 'zod';
import { isFieldName } from '../records/field_names.ts';

/** Syslog's names by number (RFC 5424, section 6.2.1), as `journalctl -p` has them. */
export const PRIORITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

const patterns = z.array(z.string().min(1)).min(1);

const fieldName = z.string().refine(isFieldName, { error: 'must be the name of a journal field, such as _TRANSPORT' });

export const criteria = z.strictObject({
  units: patterns
    .optional()
    .meta({ examples: [['nginx', 'app-*.service']] })
    .describe('Units, as of `journalctl -u`: what they log, and what systemd logs of them. `*` and `?` stand for any text.'),
  identifiers: patterns
    .optional()
    .meta({ examples: [['sshd', 'cron*']] })
    .describe('Values of SYSLOG_IDENTIFIER. `*` and `?` stand for any text.'),
  priorities: z
    .union([z.enum(PRIORITIES), z.array(z.enum(PRIORITIES)).min(1)], {
      error: `must be one of ${PRIORITIES.join(', ')}, or a list of them`,
    })
    .optional()
    .meta({ examples: ['warning'], valueType: 'priority or list of priority' })
    .describe('A priority, which stands for itself and all that are more urgent, or a list of priorities.'),
  matches: z
    .record(fieldName, patterns)
    .optional()
    .meta({ examples: [{ _TRANSPORT: ['kernel', 'audit'] }] })
    .describe('Other journal fields and the values that they may have. `*` and `?` stand for any text.'),
});

export type Criteria = z.output<typeof criteria>;
