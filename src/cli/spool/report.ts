/** What is said of a spool, for people and for programs. */
import type { LaneInspection, SegmentInspection, SpoolInspection } from '../../spool/disk/inspection.ts';
import type { Repaired } from '../../spool/disk/repair.ts';
import { count, oneLine, sizeText, table } from '../../kit/table.ts';

/** Whether an agent is using the spool while it is looked at, so that what is said is of that moment. */
export interface Liveness {
  readonly isLive: boolean;
}

export function inspectionText(spool: SpoolInspection, { isLive }: Liveness): string {
  const segments = spool.lanes.flatMap((lane) => lane.segments);
  const records = sum(segments.flatMap(({ records }) => [...records.values()]));
  const bytes = sum(segments.map((segment) => segment.bytes));
  const held =
    segments.length === 0
      ? 'no segments'
      : `${count(records, 'record')} in ${count(segments.length, 'segment')}, ${sizeText(bytes)}`;
  const parts = [
    `${oneLine(spool.directory)}: ${held}\n${useText(spool, isLive)}\n`,
    segmentTable(spool.lanes),
    receiverTable(spool.lanes),
    cursorTable(spool),
    damageText(segments),
    spool.copies.length === 0 ? '' : `copies of damaged places: ${spool.copies.map(oneLine).join(', ')}\n`,
  ];
  return parts.filter((part) => part !== '').join('\n');
}

export function inspectionJson(spool: SpoolInspection, { isLive }: Liveness): unknown {
  const { directory, state, isStateDamaged, lanes, copies } = spool;
  return {
    directory,
    live: isLive,
    state: state === undefined ? null : { clean: state.isClean, next_position: state.nextPosition },
    state_damaged: isStateDamaged,
    lanes: lanes.map(({ lane, segments }) => ({
      lane,
      epoch: state?.lanes[lane]?.epoch ?? null,
      next_sequence: state?.lanes[lane]?.nextSequence ?? null,
      cursors: cursorsOf(spool, { lane, segments }).map(({ destination, position, waiting }) => ({
        destination,
        position,
        waiting_records: waiting,
      })),
      segments: segments.map(segmentJson),
    })),
    copies,
  };
}

function segmentJson({ name, bytes, frames, positions, records, damage, tailBytes }: SegmentInspection): unknown {
  return {
    name,
    bytes,
    frames,
    first_position: positions?.first ?? null,
    last_position: positions?.last ?? null,
    records: Object.fromEntries(records),
    damage: damage.map((place) => ({ offset: place.offset, bytes: place.bytes, set_aside: place.isSetAside })),
    tail_bytes: tailBytes,
  };
}

/** Damaged places of which there is no copy yet. */
export function newDamage(spool: SpoolInspection): number {
  const places = spool.lanes.flatMap(({ segments }) => segments.flatMap(({ damage }) => damage));
  return places.filter(({ isSetAside }) => !isSetAside).length + (spool.isStateDamaged ? 1 : 0);
}

export function repairText(directory: string, { damage, cuts, stateMovedTo }: Repaired): string {
  const lines = [
    ...damage.map(({ segment, offset, bytes, copy }) => {
      const where = copy === undefined ? 'but not copied' : `and copied to ${copy}`;
      return `${sizeText(bytes)} at ${offset} of ${segment} are damaged ${where}`;
    }),
    ...cuts.map(({ segment, bytes }) => `${sizeText(bytes)} of an unfinished append were cut off ${segment}`),
    ...(stateMovedTo === undefined
      ? []
      : [`the state could not be understood and is now in ${stateMovedTo}: the agent will send all of the spool again`]),
  ];
  return `${oneLine(directory)}: ${lines.length === 0 ? 'nothing to repair' : 'repaired'}\n${lines.map((line) => `${oneLine(line)}\n`).join('')}`;
}

export function repairJson(directory: string, { damage, cuts, stateMovedTo }: Repaired): unknown {
  return {
    directory,
    damage: damage.map(({ copy, ...place }) => ({ ...place, copy: copy ?? null })),
    cuts,
    state_moved_to: stateMovedTo ?? null,
  };
}

function useText({ state, isStateDamaged }: SpoolInspection, isLive: boolean): string {
  if (isLive)
    return 'an agent is using it: all numbers are of this moment, and the end of a segment may be in the middle of being written';
  if (isStateDamaged) return 'no agent is using it; its state cannot be understood, so that all of it would be sent again';
  if (state === undefined) return 'no agent is using it, and it has no state';
  return state.isClean
    ? 'no agent is using it; it was left in order'
    : 'no agent is using it; the last one was killed, or the machine went down';
}

function segmentTable(lanes: readonly LaneInspection[]): string {
  const rows = lanes.flatMap(({ segments }) =>
    segments.map(({ name, positions, frames, records, bytes, damage, tailBytes }) => [
      name,
      positions === undefined ? '-' : `${positions.first}-${positions.last}`,
      frames,
      sum(records.values()),
      sizeText(bytes),
      [
        ...(damage.length === 0 ? [] : [count(damage.length, 'damaged place')]),
        ...(tailBytes === 0 ? [] : [`unfinished end of ${sizeText(tailBytes)}`]),
      ].join(', '),
    ]),
  );
  return rows.length === 0 ? '' : table(['SEGMENT', 'POSITIONS', 'BATCHES', 'RECORDS', 'SIZE', ''], rows);
}

function receiverTable(lanes: readonly LaneInspection[]): string {
  const rows = lanes.flatMap(({ lane, segments }) => {
    const records = new Map<string, number>();
    for (const segment of segments)
      for (const [receiver, number] of segment.records) records.set(receiver, (records.get(receiver) ?? 0) + number);
    return [...records].map(([receiver, number]) => [receiver, lane, number]);
  });
  return rows.length === 0 ? '' : table(['RECEIVER', 'LANE', 'RECORDS'], rows);
}

function cursorTable(spool: SpoolInspection): string {
  const rows = spool.lanes.flatMap((lane) =>
    cursorsOf(spool, lane).map(({ destination, position, waiting }) => [destination, lane.lane, position, waiting]),
  );
  return rows.length === 0 ? '' : table(['DESTINATION', 'LANE', 'SETTLED BELOW', 'RECORDS WAITING'], rows);
}

function cursorsOf({ state }: SpoolInspection, { lane, segments }: LaneInspection) {
  return Object.entries(state?.cursors ?? {}).map(([destination, byLane]) => ({
    destination,
    position: byLane[lane] ?? 0,
    waiting: sum(segments.map(({ waiting }) => waiting.get(destination) ?? 0)),
  }));
}

function damageText(segments: readonly SegmentInspection[]): string {
  return segments
    .flatMap(({ name, damage }) => damage.map((place) => ({ name, ...place })))
    .map(
      ({ name, offset, bytes, isSetAside }) =>
        `${name}: ${sizeText(bytes)} at ${offset} are damaged${isSetAside ? ', and set aside' : ''}\n`,
    )
    .join('');
}

function sum(numbers: Iterable<number>): number {
  let all = 0;
  for (const number of numbers) all += number;
  return all;
}
