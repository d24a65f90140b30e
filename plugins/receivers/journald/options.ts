/** The receiver's options; what an entry is chosen by is in `select/`. */
import { z } from 'zod';
import { absolutePath, byteSize, duration, formatName } from '../../../src/kit/options.ts';
import { DEFAULT_FIELDS, DEFAULT_SERVICE_FIELDS, isFieldPattern } from './records/field_names.ts';
import { isServiceField } from './records/fields.ts';
import { exclude, include } from './select/criteria.ts';
import { isSelectable, MAX_CONDITIONS } from './select/selection.ts';

const fieldPattern = z.string().refine((name) => isFieldPattern(name) && name !== 'MESSAGE', {
  error:
    'must be the name of a journal field other than MESSAGE, such as _SYSTEMD_UNIT, or a pattern of names, such as _SYSTEMD_*',
});

const serviceField = z.string().refine(isServiceField, {
  error: 'must be the name of a journal field that can name a service, such as _SYSTEMD_UNIT',
});

const NAMESPACE = /^(?:\*|\+?[A-Za-z0-9_.-]{1,200})$/;

const START_AT_ERROR = 'must be end, boot, beginning or a time such as 2026-11-20T08:00:00Z';

const declared = z.strictObject({
  driver: z
    .enum(['auto', 'files', 'journalctl'])
    .default('auto')
    .describe(
      'Who reads the journal files: the receiver itself, `journalctl`, or the receiver with `journalctl` for files that are newer than it (`auto`).',
    ),
  directory: absolutePath()
    .optional()
    .meta({ examples: ['/var/log/journal'] })
    .describe(
      'Directory with journal files, or with directories of them that are named for a machine id. ' +
        'Where it is left out, /var/log/journal and /run/log/journal are read, as far as they exist.',
    ),
  namespace: z
    .string()
    .regex(NAMESPACE, { error: 'must be the name of a journal namespace, +NAME to read the default one too, or * for all' })
    .optional()
    .meta({ examples: ['web', '+web', '*'] })
    .describe(
      'Journal namespace to read (`LogNamespace=` of a unit); `+NAME` reads it and the default one, `*` all of them. Where it is left out, the default one.',
    ),
  include_users: z
    .boolean()
    .default(true)
    .describe('Whether the journals of users are read too: what their sessions and user services log.'),
  start_at: z
    .union([z.enum(['end', 'boot', 'beginning']), z.iso.datetime({ offset: true, error: START_AT_ERROR })], {
      error: START_AT_ERROR,
    })
    .default('end')
    .meta({ valueType: 'end, boot, beginning or a time' })
    .describe(
      'Where to begin when there is no saved position: behind the newest entry, at the first one of this boot, at the oldest, or at a time.',
    ),
  on_stale_cursor: z
    .enum(['nearest', 'oldest', 'newest', 'fail'])
    .default('nearest')
    .describe(
      'Where to go on when the entry at the saved position is gone: at the nearest later entry, at the oldest, behind the newest, or not at all.',
    ),
  include: include.optional().describe('Entries that are shipped: those that fit each of these. Where it is left out, all.'),
  exclude: exclude.optional().describe('Entries that are not shipped although they are included: those that fit one of these.'),
  log_format: formatName().default('journal').describe('cfjs1 format, and so the wrapper and the topic, of the records.'),
  service: z
    .array(serviceField)
    .min(1)
    .max(8)
    .default([...DEFAULT_SERVICE_FIELDS])
    .describe(
      'Journal fields that name the service, the first that an entry has; those that begin with an underscore no service can forge. A suffix `.service` is left out.',
    ),
  fields: z
    .union([z.literal('all'), z.array(fieldPattern)], { error: 'must be all or a list of field names or patterns' })
    .default([...DEFAULT_FIELDS])
    .describe('Journal fields that are shipped beside the message: a list of names and patterns (`_SYSTEMD_*`), or `all`.'),
  parse_json: z
    .boolean()
    .default(false)
    .describe('Whether a message that is a JSON object is shipped as an object instead of as text.'),
  max_field_bytes: byteSize({ min: '1KiB', max: '4MiB' })
    .prefault('256KiB')
    .describe(
      'A message or other field longer than this is cut, and its record marked as truncated. Message and fields, as JSON, have room for twice that, or 512KiB; a field that does not fit is left out.',
    ),
  poll_interval: duration({ min: '10ms', max: '1m' })
    .prefault('100ms')
    .describe('How often to look for new entries; journald holds its own notice of them back by up to 250ms.'),
  commit_interval: duration({ min: '100ms', max: '1m' })
    .prefault('1s')
    .describe('How often to save the position behind the entries that were delivered.'),
});

export const options = declared
  .refine(({ include, exclude }) => isSelectable(include, exclude), {
    path: ['include'],
    error: `include and exclude can have ${MAX_CONDITIONS} conditions together: name fewer fields in matches`,
  })
  .refine(({ driver, directory, namespace }) => driver !== 'journalctl' || directory === undefined || namespace === undefined, {
    path: ['namespace'],
    error:
      'journalctl cannot read a namespace in a directory that is named: leave directory or namespace out, or set driver: files',
  });

export type JournaldOptions = z.output<typeof options>;
