/** The agent's own log: JSON lines, to stderr unless told otherwise, where systemd hands them to the journal. */
import { type DestinationStream, type Logger, pino } from 'pino';
import { type Clock, systemClock } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import type { Log, LogFields } from '../core/log.ts';
import { LogWriter } from './log_writer.ts';
import { RepeatLimit } from './repeat_limit.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const STDERR = 2;

export interface LogOptions {
  /** Lines below it are left out. */
  readonly level: LogLevel;
  /** Gets each line with its newline. Default: stderr, written asynchronously and flushed when the process exits. */
  readonly destination?: DestinationStream;
  readonly clock?: Clock;
}

/** A log from which logs for components are made. */
export interface AgentLog extends Log {
  /** A log with `component` on each of its lines. */
  child(component: string): AgentLog;
}

/**
 * A line is one JSON object: `level`, `time` (RFC 3339, UTC), `component`, the fields and `message`. The same message of the same
 * component passes ten times a minute, the next one after that says in `suppressed` how many were left out; debug lines all pass.
 */
export function createLog({ level, destination = new LogWriter(STDERR), clock = systemClock }: LogOptions): AgentLog {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(Math.floor(clock.wallMicros() / 1000)).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (value: unknown) => (value instanceof Error ? describeError(value) : value) },
    },
    destination,
  );
  return new PinoLog(logger, '', new RepeatLimit(clock));
}

class PinoLog implements AgentLog {
  readonly #logger: Logger;
  readonly #component: string;
  readonly #repeats: RepeatLimit;

  constructor(logger: Logger, component: string, repeats: RepeatLimit) {
    this.#logger = logger;
    this.#component = component;
    this.#repeats = repeats;
  }

  child(component: string): AgentLog {
    return new PinoLog(this.#logger.child({ component }), component, this.#repeats);
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#logger.debug(fields, message);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#write('info', message, fields);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#write('error', message, fields);
  }

  #write(level: 'info' | 'warn' | 'error', message: string, fields: LogFields): void {
    if (!this.#logger.isLevelEnabled(level)) return;
    const suppressed = this.#repeats.admit(`${level}\n${this.#component}\n${message}`);
    if (suppressed === undefined) return;
    this.#logger[level](suppressed === 0 ? fields : { ...fields, suppressed }, message);
  }
}
