/** What says that an endpoint does not take records. */
export type Trigger =
  /** No connection: refused, unreachable, or not made in time. */
  | 'connect'
  /** No TLS: not in time, not trusted, or not trusting us. */
  | 'tls'
  /** Connected, and no answer to the hello, or the end instead of one. */
  | 'hello'
  /** The connection broke. */
  | 'closed'
  /** The receiver sent what it must not. */
  | 'protocol'
  /** The receiver closed the connection because of what it got. */
  | 'refused'
  /** The receiver says that its own store takes no records. */
  | 'not_ready'
  /** An ack is owed and none has come in time. */
  | 'ack_timeout'
  /** The same, and what was sent has not even left this host. */
  | 'write_stall'
  /** The receiver is stopping. */
  | 'goodbye';

export interface Trouble {
  /** For logs. */
  readonly reason: string;
  readonly trigger: Trigger;
}
