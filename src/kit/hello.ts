/**
 * The lines with which a session in acknowledged mode starts, or is refused before it has started (docs/CFJS1.md, "Hello"). They
 * are cfjs1 lines, so that a peer which knows only lines sees one odd record and nothing worse.
 */
import { z } from 'zod';
import { SluiceError } from '../core/errors.ts';

export const HELLO_FORMAT = 'sluice.hello';
export const REFUSAL_FORMAT = 'sluice.error';
export const PROTOCOL_VERSION = 1;

/** Every receiver takes payloads of this size. */
export const MIN_MAX_FRAME_BYTES = 64 * 1024;

/** A peer that has not ended its first line by then has not sent a hello. */
export const MAX_HELLO_BYTES = 4096;

const bootId = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);

const agentHello = z.object({
  version: z.int().min(1),
  role: z.literal('agent'),
  name: z.string().max(255),
  /** What the kernel calls the time since the host was started; a source's numbers may have gone back when it changes. */
  boot: bootId.optional(),
});

const receiverHello = z.object({
  version: z.int().min(1).max(PROTOCOL_VERSION),
  role: z.literal('receiver'),
  name: z.string().max(255),
  ready: z.boolean(),
  reason: z.string().default(''),
  max_frame_bytes: z.int().min(MIN_MAX_FRAME_BYTES),
  /** Names of the compressions that it takes; those that are not known may not be used. */
  compression: z.array(z.string()).optional(),
});

const refusal = z.object({ reason: z.string() });

export type AgentHello = z.output<typeof agentHello>;
export type ReceiverHello = z.output<typeof receiverHello>;

/** Whether a hello may have this as its `boot`. */
export function isBootId(text: string): boolean {
  return bootId.safeParse(text).success;
}

export function encodeHello(hello: AgentHello | ReceiverHello): string {
  return `${JSON.stringify({ format: HELLO_FORMAT, [HELLO_FORMAT]: hello })}\n`;
}

/** What a receiver says before it closes a connection on which no hello was exchanged. */
export function encodeRefusal(reason: string): string {
  return `${JSON.stringify({ format: REFUSAL_FORMAT, [REFUSAL_FORMAT]: { reason } })}\n`;
}

/**
 * Undefined where the line is no hello at all.
 *
 * @throws SluiceError `protocol_violation` where it is one that an agent does not send.
 */
export function parseAgentHello(line: string): AgentHello | undefined {
  const wrapper = wrapperOf(line, HELLO_FORMAT);
  return wrapper === undefined ? undefined : checkHello(wrapper, agentHello);
}

/**
 * Undefined where the line is no hello at all.
 *
 * @throws SluiceError `protocol_violation` where it is one that a receiver of our version or an older one does not send.
 */
export function parseReceiverHello(line: string): ReceiverHello | undefined {
  const wrapper = wrapperOf(line, HELLO_FORMAT);
  return wrapper === undefined ? undefined : checkHello(wrapper, receiverHello);
}

/** The reason, where the line is a receiver's refusal. */
export function parseRefusal(line: string): string | undefined {
  return refusal.safeParse(wrapperOf(line, REFUSAL_FORMAT)).data?.reason;
}

/** What the wrapper of a line of this format holds; undefined where the line is of another format or no JSON object. */
function wrapperOf(line: string, format: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const envelope = z.looseObject({ format: z.literal(format) }).safeParse(value);
  return envelope.success ? (envelope.data[format] ?? null) : undefined;
}

function checkHello<T>(wrapper: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(wrapper);
  if (parsed.success) return parsed.data;
  const member = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new SluiceError('protocol_violation', `the peer sent a hello whose member "${member}" is wrong`);
}
