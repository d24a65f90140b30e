/** Which topic a batch belongs to. */
import type { Batch } from '../../../src/core/batch.ts';
import { isFormatName } from '../../../src/kit/options.ts';

/** Takes the records of new topics once there are as many topics as there may be. */
export const OVERFLOW_TOPIC = 'overflow';

/** What most file systems allow for a name (NAME_MAX), less `.ndjson`. */
const MAX_TOPIC_LENGTH = 255 - '.ndjson'.length;

export type Topic = { readonly name: string } | { readonly refused: string };

/**
 * The topic of a batch: its format, or `dead-letter.<destination>.<format>` where the records were meant for another destination.
 * Both come from a peer and become a file name, so a name that is not safe as one is refused.
 */
export function topicOf({ format, destination }: Pick<Batch, 'format' | 'destination'>): Topic {
  if (!isFormatName(format)) return { refused: 'topic_name_invalid' };
  if (destination === undefined) return { name: format };
  if (!isFormatName(destination)) return { refused: 'topic_name_invalid' };
  const name = `dead-letter.${destination}.${format}`;
  return name.length > MAX_TOPIC_LENGTH ? { refused: 'topic_name_too_long' } : { name };
}
