/** Times to the second in the zone of the process, as `2026-11-20T08:00:00+01:00` (RFC 3339). */
import type { ByteWriter } from '../../../../src/kit/byte_writer.ts';

const MICROS_PER_SECOND = 1_000_000;
const MS_PER_MINUTE = 60_000;

/** A day before the year 10000, which has a digit more, begins in Greenwich. */
const MAX_SECOND = 253_402_214_399;

export class LocalTime {
  #second = -1;
  #text = Buffer.alloc(0);

  /** Appends the time, given in microseconds since 1970. */
  write(out: ByteWriter, micros: number): void {
    const second = Math.min(Math.floor(micros / MICROS_PER_SECOND), MAX_SECOND);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = Buffer.from(textOf(second));
    }
    out.append(this.#text);
  }
}

function textOf(second: number): string {
  const ms = second * 1000;
  // JavaScript counts west of Greenwich.
  const minutesEast = -new Date(ms).getTimezoneOffset();
  const local = new Date(ms + minutesEast * MS_PER_MINUTE).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length);
  const size = Math.abs(minutesEast);
  const [hours, minutes] = [Math.floor(size / 60), size % 60].map((number) => String(number).padStart(2, '0'));
  return `${local}${minutesEast < 0 ? '-' : '+'}${hours}:${minutes}`;
}
