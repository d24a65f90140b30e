import { z } from 'zod';
import { defineReceiver } from '../../../src/core/component.ts';
import { absolutePath, byteSize, duration, formatName } from '../../../src/kit/options.ts';
import { DEFAULT_FIELDS, isFieldName } from './records/fields.ts';
import { JournaldReceiver } from './receiver.ts';

const fieldName = z.string().refine((name) => isFieldName(name) && name !== 'MESSAGE', {
  error: 'must be the name of a journal field other than MESSAGE, such as _SYSTEMD_UNIT',
});

const options = z.strictObject({
  directory: absolutePath()
    .optional()
    .meta({ examples: ['/var/log/journal'] })
    .describe(
      'Directory with journal files, or with directories of them that are named for a machine id. ' +
        'Where it is left out, /var/log/journal and /run/log/journal are read, as far as they exist.',
    ),
  start_at: z
    .enum(['end', 'beginning'])
    .default('end')
    .describe('Where to begin when there is no saved position: behind the newest entry, or at the oldest.'),
  log_format: formatName().default('journal').describe('cfjs1 format, and so the wrapper and the topic, of the records.'),
  fields: z
    .union([z.literal('all'), z.array(fieldName)], { error: 'must be all or a list of field names' })
    .default([...DEFAULT_FIELDS])
    .describe('Journal fields that are shipped beside the message: a list of their names, or `all`.'),
  parse_json: z
    .boolean()
    .default(false)
    .describe('Whether a message that is a JSON object is shipped as an object instead of as text.'),
  max_field_bytes: byteSize({ min: '1KiB', max: '4MiB' })
    .prefault('256KiB')
    .describe('A message or other field longer than this is cut, and its record marked as truncated.'),
  poll_interval: duration({ min: '10ms', max: '1m' })
    .prefault('100ms')
    .describe('How often to look for new entries; journald holds its own notice of them back by up to 250ms.'),
  commit_interval: duration({ min: '100ms', max: '1m' })
    .prefault('1s')
    .describe('How often to save the position behind the entries that were delivered.'),
});

export default defineReceiver({
  summary: 'Reads the systemd journal from its files, follows it, and goes on after a restart where delivery ended.',
  options,
  replayable: true,
  create: (checked, context) => new JournaldReceiver(checked, context),
});
