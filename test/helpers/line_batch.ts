import { Batch, type BatchFacts, BodyKind, createColumns, Storage } from '../../src/core/batch.ts';
import { NameTable } from '../../src/core/names.ts';

/**
 * A batch of complete cfjs1 lines as a receiver makes it of what a connection brought: one behind the other in the arena, with
 * `separator` behind each (default the newline that it came with).
 */
export function makeLineBatch(lines: readonly string[], facts: Partial<BatchFacts> = {}, separator = '\n'): Batch {
  const columns = createColumns(lines.length);
  let used = 0;
  for (const [at, line] of lines.entries()) {
    columns.kind[at] = BodyKind.cfjs1;
    columns.bodyStart[at] = used;
    columns.bodyEnd[at] = used + Buffer.byteLength(line);
    used += Buffer.byteLength(line + separator);
  }
  const arena = Buffer.from(lines.map((line) => line + separator).join(''));
  return new Batch(new Storage(arena, columns), lines.length, {
    receiver: 'cfjs1',
    format: 'app',
    services: new NameTable(),
    ...facts,
  });
}
