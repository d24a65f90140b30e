/** The options that receivers of lines share. */
import { z } from 'zod';
import type { ReceiverContext } from '../core/component.ts';
import { MAX_KEY_BYTES } from './line_scanner/line_scanner.ts';
import { LineBatcher } from './lines.ts';
import { byteSize, duration, formatName, onFull } from './options.ts';

function jsonKey() {
  return z
    .string()
    .min(1)
    .max(MAX_KEY_BYTES)
    .refine((key) => Buffer.byteLength(key) <= MAX_KEY_BYTES, { error: `must have at most ${MAX_KEY_BYTES} bytes` });
}

const jsonKeys = z.strictObject({
  service: jsonKey().default('service').describe('Member that names the service.'),
  severity: jsonKey().default('level').describe('Member that holds the severity, by name or by number.'),
  time: jsonKey()
    .default('ts')
    .describe('Member that holds the event time: RFC 3339, or a number of seconds, milliseconds, microseconds or nanoseconds.'),
});

export const lineOptions = {
  format: z
    .enum(['auto', 'json', 'text'])
    .default('auto')
    .describe(
      'How a line is read. `json`: each is a JSON object, and one that is not ships as text and is counted as malformed; `text`: each is text; `auto`: JSON where it is a valid object, text otherwise.',
    ),
  service: z.string().max(128).default('').describe('Service of records that name none.'),
  log_format: formatName()
    .default('log')
    .describe('The cfjs1 format and wrapper name of the records, which decides their topic at the receiver.'),
  json_keys: jsonKeys.prefault({}).describe('Which members of a JSON line the record takes its service, severity and time from.'),
  max_line_bytes: byteSize({ min: '1KiB', max: '16MiB' })
    .prefault('256KiB')
    .describe('Longer lines are cut to this size, marked `"truncated":true` and counted; the rest of the line is skipped.'),
  partial_line_timeout: duration({ min: '10ms', max: '1h' })
    .prefault('5s')
    .describe('A line whose writer stops in the middle ships after this time, marked `"partial":true` and counted.'),
  on_full: onFull()
    .default('drop_oldest')
    .describe(
      'What happens to records of this receiver when the spool is full. `block` stops reading, which in the end blocks the writers.',
    ),
};

export type LineOptionValues = z.output<z.ZodObject<typeof lineOptions>>;

/** The batcher of a receiver with these options, which emits to the receiver's context. */
export function lineBatcherOf(options: LineOptionValues, context: ReceiverContext, batchAgeMs: number): LineBatcher {
  return new LineBatcher({
    receiver: context.id,
    logFormat: options.log_format,
    format: options.format,
    service: options.service,
    jsonKeys: options.json_keys,
    maxLineBytes: options.max_line_bytes,
    batchAgeMs,
    clock: context.clock,
    metrics: context.metrics,
    emit: (batch) => context.emit(batch),
  });
}
