import { z } from 'zod';

/** The members that a cfjs1 wrapper has of itself; a tag of the same name would be written twice. */
const WRAPPER_MEMBERS: ReadonlySet<string> = new Set([
  'id',
  'timestamp',
  'host',
  'datacenter',
  'service',
  'severity',
  'message',
  'message_base64',
  'body',
  'truncated',
  'partial',
]);

const TAG_NAME = /^[A-Za-z0-9_.-]{1,128}$/;

const tagName = z
  .string()
  .regex(TAG_NAME, { error: 'a tag name has letters, digits, underscore, dot and dash only, 128 at most' })
  .refine((name) => !WRAPPER_MEMBERS.has(name), { error: 'this name is taken by a member that every record has' });

export const tagOptions = z.strictObject({
  host: z
    .string()
    .min(1)
    .optional()
    .meta({ examples: ['web-17'] })
    .describe("Value of the attribute `host`. Without it: the agent's host name."),
  datacenter: z
    .string()
    .min(1)
    .optional()
    .meta({ examples: ['fra1'] })
    .describe('Value of the attribute `datacenter`. Without it: no such attribute is added.'),
  tags: z
    .record(tagName, z.string())
    .default({})
    .describe('Further attributes, name to value. Names have letters, digits, `_`, `.` and `-`, and none that every record has.'),
  override: z
    .boolean()
    .default(false)
    .describe(
      'Whether to replace attributes that records bring along. Left off, what the first agent on the way said about a record stays.',
    ),
});

export type TagOptions = z.output<typeof tagOptions>;
