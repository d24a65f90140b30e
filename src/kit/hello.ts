/**
 * The hello line with which a session in acknowledged mode starts (docs/CFJS1.md, "Hello"). It is a cfjs1 line, so that a receiver
 * which knows only lines sees one odd record and nothing worse.
 */
import { z } from 'zod';

export const HELLO_FORMAT = 'sluice.hello';
export const PROTOCOL_VERSION = 1;

/** A peer that has not ended its hello line by then is not one. */
export const MAX_HELLO_BYTES = 4096;

const agentHello = z.object({
  version: z.int().min(1),
  role: z.literal('agent'),
  name: z.string().max(255),
});

const receiverHello = z.object({
  version: z.int().min(1),
  role: z.literal('receiver'),
  name: z.string().max(255),
  ready: z.boolean(),
  reason: z.string().default(''),
  max_frame_bytes: z.int().positive(),
});

export type AgentHello = z.output<typeof agentHello>;
export type ReceiverHello = z.output<typeof receiverHello>;

export function encodeHello(hello: AgentHello | ReceiverHello): string {
  return `${JSON.stringify({ format: HELLO_FORMAT, [HELLO_FORMAT]: hello })}\n`;
}

/** Undefined where the line is not an agent's hello. */
export function parseAgentHello(line: string): AgentHello | undefined {
  return parse(line, agentHello);
}

/** Undefined where the line is not a receiver's hello. */
export function parseReceiverHello(line: string): ReceiverHello | undefined {
  return parse(line, receiverHello);
}

function parse<T>(line: string, body: z.ZodType<T>): T | undefined {
  const envelope = z.object({ format: z.literal(HELLO_FORMAT), [HELLO_FORMAT]: body });
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = envelope.safeParse(value);
  return parsed.success ? body.parse(parsed.data[HELLO_FORMAT]) : undefined;
}
