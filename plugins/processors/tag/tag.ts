import type { Batch } from '../../../src/core/batch.ts';
import type { Processor, ProcessorContext } from '../../../src/core/component.ts';
import { Resource } from '../../../src/core/resource.ts';
import type { TagOptions } from './options.ts';

/**
 * Adds attributes to the resource of batches. Each resource that comes in is tagged once and its result is reused for as long as
 * the resource lives, so that a batch costs a look-up, a record nothing, and encoders find what they cached for the result.
 */
export class TagProcessor implements Processor {
  readonly #attributes: Readonly<Record<string, string>>;
  readonly #override: boolean;
  readonly #tagged = new WeakMap<Resource, Resource>();

  constructor({ host, datacenter, tags, override }: TagOptions, { hostName }: Pick<ProcessorContext, 'hostName'>) {
    this.#attributes = { host: host ?? hostName, ...(datacenter === undefined ? {} : { datacenter }), ...tags };
    this.#override = override;
  }

  process(batch: Batch): void {
    const known = this.#tagged.get(batch.resource);
    if (known !== undefined) {
      batch.resource = known;
      return;
    }
    const tagged = this.#tag(batch.resource);
    this.#tagged.set(batch.resource, tagged);
    batch.resource = tagged;
  }

  /** Ours first, in their order, whichever value wins; then what else the resource has. */
  #tag({ attributes }: Resource): Resource {
    const ours = this.#attributes;
    return new Resource(this.#override ? { ...ours, ...attributes, ...ours } : { ...ours, ...attributes });
  }
}
