/** An entry may have several values of one field (systemd.journal-fields(7)); JSON wants one member, so they become an array. */

/** One encoded member, `"name":value,`. */
export interface Member {
  /** The same for members of one name. */
  readonly id: number;
  readonly bytes: Buffer;
  /** Length of `"name":`. */
  readonly openingBytes: number;
}

const COMMA = 0x2c;
const CLOSE_BRACKET = 0x5d;

/** The members in the order of their first values, those of one name joined to `"name":[value,value],`. */
export function joinRepeated(members: readonly Member[]): Buffer[] {
  const byId = Map.groupBy(members, ({ id }) => id);
  return [...byId.values()].map((values) => {
    const first = values[0]!; // a group is not empty
    if (values.length === 1) return first.bytes;
    const opening = Buffer.concat([first.bytes.subarray(0, first.openingBytes), Buffer.from('[')]);
    const joined = Buffer.concat([
      opening,
      ...values.map(({ bytes, openingBytes }) => bytes.subarray(openingBytes)),
      Buffer.of(COMMA),
    ]);
    joined[joined.length - 2] = CLOSE_BRACKET;
    return joined;
  });
}
