/**
 * What is the same for every record of a batch: host, data centre, tags. Immutable and shared, so tagging costs nothing per
 * record; encoders cache what they make of one by its identity.
 */
export class Resource {
  static readonly EMPTY = new Resource({});

  /** Attribute name to value, in the order in which they are to be written. */
  readonly attributes: Readonly<Record<string, string>>;

  constructor(attributes: Readonly<Record<string, string>>) {
    this.attributes = Object.freeze({ ...attributes });
  }

  /** A new resource with `more` added; on the same name `more` wins. */
  with(more: Readonly<Record<string, string>>): Resource {
    return new Resource({ ...this.attributes, ...more });
  }
}
