/** What readers need to make records of entries, as it is configured; the same for every driver. */
import type { DriverSetup } from './driver.ts';
import type { BatchReaderOptions } from './records/batch_reader.ts';
import { FieldTable } from './records/fields.ts';
import { EntrySelection } from './select/selection.ts';

export function readerOptions({ context, events, options }: DriverSetup): BatchReaderOptions {
  const selection = new EntrySelection(options.include, options.exclude);
  return {
    receiver: context.id,
    format: options.log_format,
    selection,
    table: new FieldTable({ fields: options.fields, service: options.service, conditions: selection.fields }),
    maxValueBytes: options.max_field_bytes,
    parseJson: options.parse_json,
    now: () => context.clock.monotonicMs(),
    onDamage: (reason, path) => events.damaged(reason, path),
    onCut: () => events.truncated(),
    onLeftOut: (count) => events.leftOut(count),
    onSuppressed: ({ count, unit }) => events.lost('suppressed', count, unit),
  };
}
