/** Frame to batch. */
import { crc32 } from 'node:zlib';
import { Batch, Storage } from '../../core/batch.ts';
import { NameTable } from '../../core/names.ts';
import { Resource } from '../../core/resource.ts';
import { BufferPool } from '../../kit/buffer_pool.ts';
import { columnBytes, columnsAt } from './frame_columns.ts';
import { decodeHeader, type FrameHeader } from './frame_header.ts';
import { type FramePrefix, PREFIX_BYTES, payloadOffset } from './layout.ts';

/** Buffers that wait to be read into again. */
const MAX_POOLED_BYTES = 8 * 1024 * 1024;

/** Receivers whose last services and resource are remembered. */
const MAX_REMEMBERED = 256;

/** Encoders keep what they make of a table or a resource for as long as they see the same one, so batches of a receiver share them. */
interface Shared {
  services: NameTable;
  resource: Resource;
}

export class FrameDecoder {
  readonly #pool = new BufferPool(MAX_POOLED_BYTES);
  readonly #sharedByReceiver = new Map<string, Shared>();

  /** A buffer to read a frame into; `decode` or `giveBack` takes it over. */
  take(bytes: number): Buffer {
    return this.#pool.take(bytes);
  }

  giveBack(buffer: Buffer): void {
    this.#pool.give(buffer);
  }

  /** The batch of the frame that begins at 0 of `buffer`, over that buffer; undefined, and the buffer given back, where it is damaged. */
  decode(prefix: FramePrefix, buffer: Buffer): Batch | undefined {
    const header = checkedHeader(prefix, buffer, 0);
    if (header === undefined || !isPayloadRight(prefix, buffer, 0)) {
      this.giveBack(buffer);
      return undefined;
    }
    const { records } = prefix;
    const columnsStart = payloadOffset(prefix);
    const arenaStart = columnsStart + columnBytes(records);
    const arena = buffer.subarray(arenaStart, arenaStart + header.arena);
    const columns = columnsAt(buffer.buffer, buffer.byteOffset + columnsStart, records);
    const storage = new Storage(arena, columns, () => this.giveBack(buffer));
    const { services, resource } = this.#sharedWith(header);
    useTable(services, header.services, columns.service);
    return new Batch(storage, records, { ...factsOf(header), services, resource });
  }

  #sharedWith({ receiver, resource: attributes }: FrameHeader): Shared {
    const known = this.#sharedByReceiver.get(receiver);
    if (known === undefined) {
      if (this.#sharedByReceiver.size >= MAX_REMEMBERED) this.#sharedByReceiver.clear();
      const shared = { services: new NameTable(), resource: new Resource(attributes) };
      this.#sharedByReceiver.set(receiver, shared);
      return shared;
    }
    if (known.services.isFull) known.services = new NameTable();
    if (!equalEntries(known.resource.attributes, attributes)) known.resource = new Resource(attributes);
    return known;
  }
}

/** Turns the numbers of names in a frame, 1 for its first one, into their ids in a table. */
function useTable(table: NameTable, names: readonly string[], service: Uint32Array): void {
  const ids = Uint32Array.of(NameTable.NONE, ...names.map((name) => table.intern(name)));
  if (ids.every((id, number) => id === number)) return;
  for (let at = 0; at < service.length; at++) service[at] = ids[service[at]!] ?? NameTable.NONE; // at is below the length
}

/** The header of the frame at `offset`; undefined where it is damaged or contradicts the prefix. */
export function checkedHeader(prefix: FramePrefix, bytes: Buffer, offset: number): FrameHeader | undefined {
  const start = offset + PREFIX_BYTES;
  const encoded = bytes.subarray(start, start + prefix.headerBytes);
  if (encoded.length < prefix.headerBytes || crc32(encoded) !== prefix.headerCrc) return undefined;
  const header = decodeHeader(encoded);
  if (header === undefined || columnBytes(prefix.records) + header.arena !== prefix.payloadBytes) return undefined;
  return header;
}

/** Whether the payload of the frame at `offset`, all of which is in `bytes`, is what was written. */
export function isPayloadRight(prefix: FramePrefix, bytes: Buffer, offset: number): boolean {
  const start = offset + payloadOffset(prefix);
  return crc32(bytes.subarray(start, start + prefix.payloadBytes)) === prefix.payloadCrc;
}

function factsOf({ receiver, format, epoch, destination, onlyFor, isKept }: FrameHeader) {
  return {
    receiver,
    format,
    ...(epoch === undefined ? {} : { epoch }),
    ...(destination === undefined ? {} : { destination }),
    ...(onlyFor === undefined ? {} : { onlyFor }),
    ...(isKept === undefined ? {} : { isKept }),
  };
}

function equalLists(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((text, at) => text === others[at]);
}

/** Order counts, for attributes are written in theirs. */
function equalEntries(some: Readonly<Record<string, string>>, others: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(some);
  return equalLists(names, Object.keys(others)) && names.every((name) => some[name] === others[name]);
}
